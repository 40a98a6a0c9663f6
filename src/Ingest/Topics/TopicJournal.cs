using System.Text.Json;
using Ingest.Log;
using Microsoft.Extensions.Logging;

namespace Ingest.Topics;

/// <summary>
/// Remembers over restarts which epochs topics are in, in <c>topics/topics.json</c> of the data directory. It is a
/// note of some moment, not of the last update: together with what the log says of the publishers it tells whether all
/// updates since then are there.
/// </summary>
internal sealed class TopicJournal(ILogFiles disk, string directory, ILogger logger)
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    private readonly DurableFile _file = new(disk, Path.Combine(directory, "topics.json"));

    /// <summary>What an earlier run left; empty when there is nothing that can be read.</summary>
    /// <exception cref="IOException">The disk refuses.</exception>
    public Content Read()
    {
        byte[]? bytes = _file.Read();
        try
        {
            return bytes is null ? new Content() : JsonSerializer.Deserialize<Content>(bytes, s_json) ?? new Content();
        }
        catch (JsonException e)
        {
            logger.TopicFileDamaged(_file.Path, e.Message);
            return new Content();
        }
    }

    /// <summary>Writes it; durable when the method returns.</summary>
    /// <exception cref="IOException">The disk refuses.</exception>
    public void Write(Content content) => _file.Write(JsonSerializer.SerializeToUtf8Bytes(content, s_json));

    /// <summary>What the file says.</summary>
    public sealed record Content
    {
        /// <summary>Whether the run that wrote it had published all when it did.</summary>
        public bool IsClean { get; init; }

        /// <summary>The tables.</summary>
        public IReadOnlyList<Table> Tables { get; init; } = [];
    }

    /// <summary>A table of updates.</summary>
    public sealed record Table
    {
        /// <summary>Its name.</summary>
        public string Name { get; init; } = "";

        /// <summary>Rows that its publisher had made durable.</summary>
        public long Rows { get; init; }

        /// <summary>Its topics as they were then.</summary>
        public IReadOnlyList<Entry> Topics { get; init; } = [];
    }

    /// <summary>A topic.</summary>
    public sealed record Entry
    {
        /// <summary>Its name.</summary>
        public string Name { get; init; } = "";

        /// <summary>Its epoch.</summary>
        public string Epoch { get; init; } = "";

        /// <summary>Offset of its next update.</summary>
        public long Next { get; init; }

        /// <summary>When its last update was emitted, in Unix microseconds.</summary>
        public long LastEmittedMicros { get; init; }
    }
}
