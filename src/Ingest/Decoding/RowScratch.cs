using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Ingest.Columns;

namespace Ingest.Decoding;

/// <summary>
/// What a row's maps, structs and JSON text are gathered in while it is read; belongs to a batch and its owner.
/// </summary>
internal sealed class RowScratch
{
    /// <summary>Longest name of a struct's field with its parents, in bytes.</summary>
    public const int MaxNameBytes = 1024;

    private const int EntriesKept = 4096;
    private const int JsonBytesKept = 256 * 1024;

    private static readonly JsonWriterOptions s_jsonOptions = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        // A message is at most an object in a list or a map.
        MaxDepth = Wire.MaxDepth * 3,
        SkipValidation = true,
    };

    public RowScratch() => Json = new Utf8JsonWriter(JsonText, s_jsonOptions);

    /// <summary>Where the values lie; the first chains are those of the row's deferred fields.</summary>
    public Occurrences Occurrences { get; } = new();

    /// <summary>Entries of the maps that are being written, a stack.</summary>
    public List<MapEntry> Entries { get; } = [];

    /// <summary>Finds equal keys where there are many.</summary>
    public KeyDictionary Keys { get; } = new(nullable: false);

    /// <summary>For each key of <see cref="Keys"/> its last entry.</summary>
    public List<int> LastOfKey { get; } = [];

    /// <summary>Name of the struct field that is being written, with dots.</summary>
    public byte[] Name { get; } = new byte[MaxNameBytes];

    /// <summary>Bytes of names that the struct that is being written may still take.</summary>
    public long NameBudget { get; set; }

    public ArrayBufferWriter<byte> JsonText { get; private set; } = new();

    public Utf8JsonWriter Json { get; }

    /// <summary>Bytes of memory that it holds.</summary>
    public long HeldBytes =>
        Occurrences.HeldBytes + ((long)Entries.Capacity * Unsafe.SizeOf<MapEntry>()) + Keys.HeldBytes
        + ((long)LastOfKey.Capacity * sizeof(int)) + JsonText.Capacity + MaxNameBytes;

    /// <summary>Makes ready for a row with some deferred fields.</summary>
    public void BeginRow(int deferredFields)
    {
        Occurrences.Clear();
        Occurrences.BeginFrame(deferredFields);
        Entries.Clear();
    }

    /// <summary>Empties the JSON text.</summary>
    public void BeginJson()
    {
        JsonText.ResetWrittenCount();
        Json.Reset();
    }

    /// <summary>Lets go of what one large row has blown up.</summary>
    public void Trim()
    {
        Occurrences.Trim();
        Keys.Reset();
        if (Entries.Capacity > EntriesKept)
        {
            Entries.Clear();
            Entries.Capacity = 0;
        }

        if (LastOfKey.Capacity > EntriesKept)
        {
            LastOfKey.Clear();
            LastOfKey.Capacity = 0;
        }

        if (JsonText.Capacity > JsonBytesKept)
        {
            JsonText = new ArrayBufferWriter<byte>();
            Json.Reset(JsonText);
        }
    }
}
