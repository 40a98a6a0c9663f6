namespace Ingest.Server.Realtime;

/// <summary>A path for sockets, and the topics that a connection there follows at once.</summary>
public sealed record WebSocketPath
{
    /// <summary>The path, for example <c>/ws/eta</c>.</summary>
    public string Path { get; init; } = "";

    /// <summary>Topics, <c>*</c> and <c>&gt;</c> as in every subscription; none: the client subscribes.</summary>
    public IReadOnlyList<string> Topics { get; init; } = [];

    /// <summary>What is wrong with the settings, one sentence each that begins with the setting's name.</summary>
    public IEnumerable<string> Validate()
    {
        if (!Path.StartsWith('/') || Path.Length < 2 || Path.AsSpan().IndexOfAny("{}?#*") >= 0)
        {
            yield return $"{nameof(Path)} is '{Path}'; a path such as /ws/eta is expected.";
        }
    }
}
