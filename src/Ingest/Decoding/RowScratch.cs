using System.Buffers;
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

    private static readonly JsonWriterOptions s_jsonOptions = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        MaxDepth = Wire.MaxDepth * 3,
        SkipValidation = true,
    };

    public RowScratch() => Json = new Utf8JsonWriter(JsonText, s_jsonOptions);

    /// <summary>Where values lie whose column is written when the row has been read.</summary>
    public List<Piece> Pieces { get; } = [];

    /// <summary>Entries of the maps that are being written, a stack.</summary>
    public List<Entry> Entries { get; } = [];

    /// <summary>Finds equal keys where there are many.</summary>
    public KeyDictionary Keys { get; } = new(nullable: false);

    /// <summary>For each key of <see cref="Keys"/> its last entry.</summary>
    public List<int> LastOfKey { get; } = [];

    /// <summary>Name of the struct field that is being written, with dots.</summary>
    public byte[] Name { get; } = new byte[MaxNameBytes];

    public ArrayBufferWriter<byte> JsonText { get; } = new();

    public Utf8JsonWriter Json { get; }

    /// <summary>Empties the JSON text.</summary>
    public void BeginJson()
    {
        JsonText.ResetWrittenCount();
        Json.Reset();
    }

    /// <summary>How often a field was met.</summary>
    public int CountOf(FieldPlan plan)
    {
        int count = 0;
        foreach (Piece piece in Pieces)
        {
            count += piece.Plan == plan ? 1 : 0;
        }

        return count;
    }

    /// <summary>Forgets what was gathered for a field.</summary>
    public void Forget(FieldPlan plan) => Pieces.RemoveAll(p => p.Plan == plan);

    /// <summary>An occurrence of a field.</summary>
    public readonly record struct Piece(FieldPlan Plan, int At, int Length, int Depth);

    /// <summary>An entry of a map: its key, and where its value begins on the wire.</summary>
    public record struct Entry
    {
        public bool HasTextKey { get; init; }

        public int KeyAt { get; set; }

        public int KeyLength { get; set; }

        /// <summary>A key that is a number.</summary>
        public ulong Key { get; set; }

        /// <summary>Where the value begins, its length included; -1 when there is none.</summary>
        public int ValueAt { get; set; }

        /// <summary>Where the entry ends.</summary>
        public int ValueEnd { get; init; }

        public int Depth { get; init; }

        /// <summary>Whether no later entry has the same key.</summary>
        public bool Live { get; set; }
    }
}
