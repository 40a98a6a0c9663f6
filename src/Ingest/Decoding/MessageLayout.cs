using System.Text.Json;
using Google.Protobuf.Reflection;
using Ingest.Schema;

namespace Ingest.Decoding;

/// <summary>
/// The fields of a message type, by tag, for messages that are checked, or written as JSON, without columns of their
/// own.
/// </summary>
internal sealed class MessageLayout
{
    private TagTable<FieldLayout> _tags = new(new Dictionary<uint, FieldLayout>());

    private MessageLayout(MessageDescriptor type) => Form = FormOf(type);

    /// <summary>How JSON writes a message.</summary>
    public enum JsonForm
    {
        /// <summary>As an object of its fields.</summary>
        Object,

        /// <summary>google.protobuf.Struct: as an object of its entries.</summary>
        Struct,

        /// <summary>google.protobuf.Value: as the value.</summary>
        Value,

        /// <summary>google.protobuf.ListValue: as a list.</summary>
        List,

        /// <summary>google.protobuf.Timestamp: as RFC 3339.</summary>
        Timestamp,

        /// <summary>google.protobuf.Duration: as seconds with an s.</summary>
        Duration,
    }

    public JsonForm Form { get; }

    /// <summary>The fields by number.</summary>
    public FieldLayout[] Fields { get; private set; } = [];

    /// <summary>The field of a tag; a list of numbers has two, packed and not.</summary>
    public FieldLayout? Find(uint tag) => _tags.Find(tag);

    /// <summary>Lays out a message type and the types within it, each once.</summary>
    public static MessageLayout Of(MessageDescriptor type, Dictionary<string, MessageLayout> known)
    {
        if (known.TryGetValue(type.FullName, out MessageLayout? layout))
        {
            return layout;
        }

        // Known before its fields are: a type may contain itself.
        layout = new MessageLayout(type);
        known.Add(type.FullName, layout);
        layout.Fill(type, known);
        return layout;
    }

    private void Fill(MessageDescriptor type, Dictionary<string, MessageLayout> known)
    {
        Fields = [.. type.Fields.InFieldNumberOrder().Select((field, index) => LayoutOf(field, index, known))];
        var tags = new Dictionary<uint, FieldLayout>();
        foreach (FieldLayout field in Fields)
        {
            tags.Add(Wire.Tag(field.Field.FieldNumber, field.WireType), field);
            if (field.IsRepeated && field.WireType != Wire.Len)
            {
                tags.Add(Wire.Tag(field.Field.FieldNumber, Wire.Len), field);
            }

            if (field.Field.RealContainingOneof is { } oneof)
            {
                field.Siblings = [.. Fields
                    .Where(f => f != field && f.Field.RealContainingOneof == oneof).Select(f => f.Index)];
            }
        }

        _tags = new TagTable<FieldLayout>(tags);
    }

    private static FieldLayout LayoutOf(FieldDescriptor field, int index, Dictionary<string, MessageLayout> known)
    {
        ValueKind kind = TypeNames.KindOf(field);
        return new FieldLayout
        {
            Field = field,
            Index = index,
            Name = JsonEncodedText.Encode(field.Name),
            Kind = kind,
            WireType = Wire.TypeOf(kind),
            Message = field.FieldType == FieldType.Message ? Of(field.MessageType, known) : null,
        };
    }

    private static JsonForm FormOf(MessageDescriptor type) => type.FullName switch
    {
        "google.protobuf.Struct" => JsonForm.Struct,
        "google.protobuf.Value" => JsonForm.Value,
        "google.protobuf.ListValue" => JsonForm.List,
        "google.protobuf.Timestamp" => JsonForm.Timestamp,
        "google.protobuf.Duration" => JsonForm.Duration,
        _ => JsonForm.Object,
    };
}
