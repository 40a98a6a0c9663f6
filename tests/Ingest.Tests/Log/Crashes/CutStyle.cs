namespace Ingest.Tests.Log.Crashes;

/// <summary>What a power cut leaves of what was not flushed.</summary>
internal enum CutStyle
{
    /// <summary>Nothing.</summary>
    Lost,

    /// <summary>All of it.</summary>
    Kept,

    /// <summary>Data files alone.</summary>
    DataKept,

    /// <summary>Index files alone.</summary>
    IndexKept,

    /// <summary>Of each file's last write a part, of those before all.</summary>
    Torn,

    /// <summary>Lengths, but zeroes where the bytes were to be.</summary>
    Zeroed,

    /// <summary>Of each file and each name something else; of each page the old, the new, half of the new, or zeroes.</summary>
    Mixed,
}
