namespace Ingest.StandIns;

/// <summary>What a stand-in does to a request.</summary>
/// <param name="Name">One of those that <see cref="StandInServer"/> lists; empty for none.</param>
/// <param name="Number">Bytes or milliseconds that belong to it.</param>
internal readonly record struct Fault(string Name, int Number = 0)
{
    /// <summary>The request is served.</summary>
    public static readonly Fault None = new("");
}
