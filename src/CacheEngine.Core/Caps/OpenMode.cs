namespace CacheEngine;

/// <summary>How a cached object is opened; the numbers are those of the CephFS protocol.</summary>
[Flags]
public enum OpenMode
{
    /// <summary>Keeps the object known, reads and writes nothing.</summary>
    Pin = 0,

    /// <summary>Reads the value.</summary>
    Read = 1,

    /// <summary>Writes the value.</summary>
    Write = 2,

    /// <summary>Reads and writes the value.</summary>
    ReadWrite = Read | Write,

    /// <summary>Carried for completeness; the lazy mode is not offered.</summary>
    Lazy = 4,
}

/// <summary>The rights that an open mode wants.</summary>
public static class OpenModeCaps
{
    /// <summary>The capability bits that a handle opened with this mode wants while it is open.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The mode has undefined bits.</exception>
    public static CapSet Wanted(this OpenMode mode)
    {
        if ((mode & ~(OpenMode.ReadWrite | OpenMode.Lazy)) != 0)
        {
            throw new ArgumentOutOfRangeException(nameof(mode), mode, "An open mode is a combination of Read, Write and Lazy.");
        }

        CapSet wanted = CapSet.Pin;
        if (mode.HasFlag(OpenMode.Read))
        {
            wanted |= CapSet.AnyFileRead;
        }

        if (mode.HasFlag(OpenMode.Write))
        {
            wanted |= CapSet.AnyFileWrite | CapSet.AuthShared | CapSet.AuthExcl | CapSet.XattrShared | CapSet.XattrExcl;
        }

        return mode.HasFlag(OpenMode.Lazy) ? wanted | CapSet.FileLazyIO : wanted;
    }
}
