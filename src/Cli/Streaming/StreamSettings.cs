using Ingest.Cli.Binding;
using Ingest.Cli.Input;
using Ingest.Client;

namespace Ingest.Cli.Streaming;

/// <summary>What `ingest stream` was asked to do.</summary>
internal sealed record StreamSettings
{
    /// <summary>The files, in order.</summary>
    public required IReadOnlyList<InputFile> Files { get; init; }

    /// <summary>How columns become fields. Default: by their names.</summary>
    public BindingOptions Binding { get; init; } = new();

    /// <summary>The format of all files; null (default) to tell it file by file.</summary>
    public InputFormat? Format { get; init; }

    /// <summary>Streams side by side; each takes whole files. Default 1.</summary>
    public int Streams { get; init; } = 1;

    /// <summary>Rows a second of all streams together; null (default) for as fast as it goes.</summary>
    public double? RowsPerSecond { get; init; }

    /// <summary>How rows are gathered. Default: the SDK's.</summary>
    public StreamOptions Stream { get; init; } = new();
}
