namespace CacheEngine.PostgreSql.Store;

/// <summary>The statements of the paths that are taken often. Each is prepared once a connection.</summary>
internal static class Statements
{
    /// <summary>Binds a key: for ever, by whoever names it first.</summary>
    public const string Bind = "INSERT INTO cacheengine.record (region, key) SELECT $1, k FROM unnest($2::bytea[]) AS k ORDER BY k ON CONFLICT DO NOTHING";

    public const string Find = "SELECT id, key FROM cacheengine.record WHERE region = $1 AND key = ANY($2)";

    public const string LockRecords = """
        SELECT r.id, r.region, r.state, r.value, g.at_source, g.raises_fence, g.max_write
        FROM cacheengine.record r JOIN cacheengine.region g ON g.name = r.region
        WHERE r.id = ANY($1) ORDER BY r.id FOR UPDATE OF r
        """;

    /// <summary>The sessions that hold or ask for something at the records, and the one that speaks. It sees the records as they are now: they are locked.</summary>
    public const string LockSessions = """
        SELECT id, region, bell, state, renewals, last_owed, took_in, CASE WHEN id = $2 THEN received END, identity
        FROM cacheengine.session
        WHERE id = ANY(ARRAY(SELECT unnest(sessions) FROM cacheengine.record WHERE id = ANY($1) UNION SELECT $2))
        ORDER BY id FOR UPDATE
        """;

    public const string Owed = "SELECT seq, message FROM cacheengine.owed WHERE session = $1 AND seq > $2 ORDER BY seq";

    /// <summary>The wall clock, for the ends of values alone, and the incarnation.</summary>
    public const string Authority = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint, incarnation FROM cacheengine.authority";

    public const string WriteRecord = "UPDATE cacheengine.record SET sessions = $2, state = $3 WHERE id = $1";

    public const string WriteRecordAndValue = "UPDATE cacheengine.record SET sessions = $2, state = $3, value = $4 WHERE id = $1";

    public const string WriteOwed =
        "INSERT INTO cacheengine.owed (session, seq, message) SELECT s, n, m FROM unnest($1::bigint[], $2::bigint[], $3::bytea[]) AS u (s, n, m)";

    public const string WriteSessions =
        "UPDATE cacheengine.session SET last_owed = u.n FROM unnest($1::bigint[], $2::bigint[]) AS u (s, n) WHERE id = u.s";

    public const string WriteSpeaker = "UPDATE cacheengine.session SET last_owed = $2, took_in = $3, received = $4 WHERE id = $1";

    public const string ForgetOwed = "DELETE FROM cacheengine.owed WHERE session = $1 AND seq <= $2";

    public const string Touch =
        "INSERT INTO cacheengine.touched (session, record) SELECT s, r FROM unnest($1::bigint[], $2::bigint[]) AS u (s, r) ON CONFLICT DO NOTHING";

    public const string LogTaken = "INSERT INTO cacheengine.taken (record, session, kept, version, value) VALUES ($1, $2, $3, $4, $5)";

    public const string Ring = "SELECT pg_notify($1, $2)";

    public const string Renew = """
        UPDATE cacheengine.session SET renewals = renewals + 1, took_in = GREATEST(took_in, LEAST($2, last_owed))
        WHERE id = $1 AND state = 0 RETURNING last_owed
        """;

    public const string Standing = "SELECT state, last_owed FROM cacheengine.session WHERE id = $1";

    public const string Shape = "SELECT shape FROM cacheengine.region WHERE name = $1";

    public const string NewRegion = "INSERT INTO cacheengine.region (name, shape, at_source, raises_fence, max_write) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";

    /// <summary>Cuts off what an identity has open. Its count moves on as if it had renewed: everybody counts the end of its rights anew, so its node has a whole
    /// term to claim them in. Locked in order, like all sessions.</summary>
    public const string Supersede = """
        WITH older AS (SELECT id FROM cacheengine.session WHERE identity = $1 AND state = 0 ORDER BY id FOR UPDATE)
        UPDATE cacheengine.session s SET state = 1, renewals = renewals + 1 FROM older WHERE s.id = older.id RETURNING s.id
        """;

    /// <summary>Ends the sessions that an identity had before this one; those too whose end was left half done.</summary>
    public const string EndEarlier = """
        WITH earlier AS (SELECT id FROM cacheengine.session WHERE identity = $1 AND id < $2 AND (state < 2 OR state = $3) ORDER BY id FOR UPDATE)
        UPDATE cacheengine.session s SET state = $3 FROM earlier WHERE s.id = earlier.id RETURNING s.id
        """;

    public const string NewSession = """
        INSERT INTO cacheengine.session (identity, region, node, bell, state, renewals, last_owed, took_in)
        VALUES ($1, $2, $3, $4, 0, 0, 0, 0) RETURNING id
        """;

    /// <summary>Ends a session unless it was heard of in between; of two ends of its rights the first stands.</summary>
    public const string End = """
        UPDATE cacheengine.session SET state = $2, renewals = renewals + CASE $2 WHEN 1 THEN 1 ELSE 0 END
        WHERE id = $1 AND state < LEAST($2, 2) AND ($3 < 0 OR renewals = $3)
        """;

    public const string Touched = "SELECT record FROM cacheengine.touched WHERE session = $1 ORDER BY record";

    public const string Forget = """
        WITH t AS (DELETE FROM cacheengine.touched WHERE session = $1), o AS (DELETE FROM cacheengine.owed WHERE session = $1)
        DELETE FROM cacheengine.session WHERE id = $1 AND state >= 2
        """;

    public const string Sessions = "SELECT id, state, renewals FROM cacheengine.session ORDER BY id";
}
