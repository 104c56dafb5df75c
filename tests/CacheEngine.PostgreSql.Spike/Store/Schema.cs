namespace CacheEngine.PostgreSql.Store;

/// <summary>The tables: records, sessions, what they are owed, and one row about the authority itself.</summary>
/// <remarks>
/// <para>Locks are taken in one order everywhere: records by id, then sessions by id. Whatever belongs to a record or a session is written under its row's
/// lock, so nothing else is ever waited for and nothing deadlocks. A key is bound in a transaction of its own, before.</para>
/// <para><c>taken</c> is a log of the buffers that were taken from nodes without their word, for whoever looks into a loss: no decision reads it.</para>
/// <para>The <em>incarnation</em> is raised when the schema is made and by <c>forgotten()</c>, which whoever restores a backup or promotes an asynchronous replica
/// calls, with all nodes stopped for one lease term, before they come back.</para>
/// </remarks>
internal static class Schema
{
    public const string Create = """
        CREATE SCHEMA IF NOT EXISTS cacheengine;
        CREATE TABLE IF NOT EXISTS cacheengine.authority (
            one boolean PRIMARY KEY DEFAULT true CHECK (one),
            incarnation bigint NOT NULL);
        CREATE SEQUENCE IF NOT EXISTS cacheengine.process MAXVALUE 2147483647;
        CREATE TABLE IF NOT EXISTS cacheengine.region (
            name text PRIMARY KEY,
            shape text NOT NULL,
            at_source boolean NOT NULL,
            raises_fence boolean NOT NULL,
            max_write bigint NOT NULL);
        CREATE TABLE IF NOT EXISTS cacheengine.session (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            identity uuid NOT NULL,
            region text NOT NULL,
            node text NOT NULL,
            bell text NOT NULL,
            state smallint NOT NULL,
            renewals bigint NOT NULL,
            last_owed bigint NOT NULL,
            took_in bigint NOT NULL,
            received bytea) WITH (fillfactor = 50);
        CREATE UNIQUE INDEX IF NOT EXISTS session_identity ON cacheengine.session (identity) WHERE state = 0;
        CREATE INDEX IF NOT EXISTS session_of_identity ON cacheengine.session (identity);
        CREATE TABLE IF NOT EXISTS cacheengine.record (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            region text NOT NULL,
            key bytea NOT NULL,
            sessions bigint[] NOT NULL DEFAULT '{}',
            state bytea NOT NULL DEFAULT '',
            value bytea,
            UNIQUE (region, key)) WITH (fillfactor = 50);
        CREATE TABLE IF NOT EXISTS cacheengine.owed (
            session bigint,
            seq bigint,
            message bytea NOT NULL,
            PRIMARY KEY (session, seq));
        CREATE TABLE IF NOT EXISTS cacheengine.touched (
            session bigint,
            record bigint,
            PRIMARY KEY (session, record));
        CREATE TABLE IF NOT EXISTS cacheengine.taken (
            record bigint NOT NULL,
            session bigint NOT NULL,
            kept bigint NOT NULL,
            version bigint NOT NULL,
            value bytea,
            at timestamptz NOT NULL DEFAULT clock_timestamp());
        CREATE OR REPLACE FUNCTION cacheengine.forgotten() RETURNS bigint LANGUAGE sql AS $$
            UPDATE cacheengine.authority SET incarnation = GREATEST(incarnation + 1, (extract(epoch FROM clock_timestamp()) * 1000)::bigint) RETURNING incarnation $$;
        INSERT INTO cacheengine.authority (incarnation) VALUES ((extract(epoch FROM clock_timestamp()) * 1000)::bigint) ON CONFLICT DO NOTHING;
        """;

    /// <summary>Two processes that make the schema at once would fail each other: the first takes this lock.</summary>
    public const string Lock = "SELECT pg_advisory_xact_lock(4829103746)";
}

/// <summary>A session row's state.</summary>
internal static class SessionRowState
{
    public const short Open = 0;

    /// <summary>Nothing is taken in of it; its rights last until they have run out.</summary>
    public const short CutOff = 1;

    /// <summary>Its rights are over, without a word of its node. The row goes when its records have heard of it.</summary>
    public const short Over = 2;

    /// <summary>The same by its node's own word: nothing that was buffered under it is missing. Which of the two ends came first stands.</summary>
    public const short Closed = 3;
}
