using System.Buffers.Text;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Unicode;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Ingest.Schema;

namespace Ingest.Decoding;

/// <summary>
/// Writes messages on the wire as protobuf's JSON with the fields' own names (not lowerCamelCase): 64-bit integers are
/// strings, bytes base64, timestamps RFC 3339; fields with default values are left out.
/// Source: protobuf.dev, ProtoJSON format.
/// </summary>
/// <remarks>A field is looked for in the whole message, so this costs bytes times fields; rare by design.</remarks>
internal struct JsonTranscoder(RowScratch scratch)
{
    private readonly Utf8JsonWriter _json = scratch.Json;

    /// <summary>Whether a string was not UTF-8; it was written as empty.</summary>
    public bool FoundUnreadableText { get; private set; }

    /// <summary>Writes all occurrences of a repeated field as a list.</summary>
    public bool TryWriteList(ref byte source, FieldPlan field)
    {
        _json.WriteStartArray();
        for (int i = 0; i < scratch.Pieces.Count; i++)
        {
            RowScratch.Piece piece = scratch.Pieces[i];
            if (piece.Plan == field
                && !TryWrite(ref source, piece.At, piece.At + piece.Length, field.Message!, piece.Depth))
            {
                return false;
            }
        }

        _json.WriteEndArray();
        return true;
    }

    /// <summary>Writes all occurrences of a singular field as one message.</summary>
    public bool TryWriteMerged(ref byte source, FieldPlan field)
    {
        var places = new List<Range>();
        int depth = 0;
        foreach (RowScratch.Piece piece in scratch.Pieces)
        {
            if (piece.Plan == field)
            {
                places.Add(piece.At..(piece.At + piece.Length));
                depth = piece.Depth;
            }
        }

        return TryWriteMerged(ref source, places, field.Message!, depth);
    }

    public bool TryWrite(ref byte source, int at, int end, MessageDescriptor type, int depth)
    {
        if (!IsWellFormed(ref source, at, end, depth))
        {
            return false;
        }

        switch (type.FullName)
        {
            case "google.protobuf.Timestamp":
            case "google.protobuf.Duration":
                return TryWriteMoment(ref source, at, end, type.FullName == Timestamp.Descriptor.FullName);
            case "google.protobuf.Struct":
                int entries = scratch.Entries.Count;
                return StructWire.TryGather(ref source, at, end, depth, scratch)
                    && TryWriteEntries(ref source, entries);
            case "google.protobuf.Value":
                return TryWriteValue(ref source, at, end, depth);
            case "google.protobuf.ListValue":
                int items = scratch.Entries.Count;
                return StructWire.TryGatherItems(ref source, at, end, depth, scratch)
                    && TryWriteItems(ref source, items);
        }

        _json.WriteStartObject();
        foreach (FieldDescriptor field in type.Fields.InFieldNumberOrder())
        {
            if (!TryWriteField(ref source, at, end, field, depth))
            {
                return false;
            }
        }

        _json.WriteEndObject();
        return true;
    }

    /// <summary>Writes the list whose items lie on the stack from <paramref name="first"/> on, and takes them off.</summary>
    public bool TryWriteItems(ref byte source, int first)
    {
        int end = scratch.Entries.Count;
        _json.WriteStartArray();
        for (int i = first; i < end; i++)
        {
            if (!TryWriteEntryValue(ref source, scratch.Entries[i]))
            {
                return false;
            }
        }

        _json.WriteEndArray();
        scratch.Entries.RemoveRange(first, end - first);
        return true;
    }

    private bool TryWriteEntries(ref byte source, int first)
    {
        MapEntries.KeepLastOfKey(scratch, ref source, first);
        int end = scratch.Entries.Count;
        _json.WriteStartObject();
        for (int i = first; i < end; i++)
        {
            RowScratch.Entry entry = scratch.Entries[i];
            if (entry.Live)
            {
                WriteName(MapEntries.KeyOf(ref source, entry));
                if (!TryWriteEntryValue(ref source, entry))
                {
                    return false;
                }
            }
        }

        _json.WriteEndObject();
        scratch.Entries.RemoveRange(first, end - first);
        return true;
    }

    private bool TryWriteEntryValue(ref byte source, in RowScratch.Entry entry)
    {
        int nested = scratch.Entries.Count;
        return StructWire.TryReadValue(ref source, entry, scratch, out StructWire.Value value)
            && TryWriteValue(ref source, value, nested);
    }

    private bool TryWriteValue(ref byte source, int at, int end, int depth)
    {
        int nested = scratch.Entries.Count;
        return StructWire.TryReadValue(ref source, at, end, depth, scratch, out StructWire.Value value)
            && TryWriteValue(ref source, value, nested);
    }

    private bool TryWriteValue(ref byte source, in StructWire.Value value, int nested)
    {
        switch (value.Kind)
        {
            case StructWire.Kind.Struct:
                return TryWriteEntries(ref source, nested);
            case StructWire.Kind.List:
                return TryWriteItems(ref source, nested);
            case StructWire.Kind.String:
                WriteText(MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref source, value.At), value.Length));
                return true;
            case StructWire.Kind.Number:
                WriteNumber(value.Number);
                return true;
            case StructWire.Kind.Bool:
                _json.WriteBooleanValue(value.Bool);
                return true;
            default:
                _json.WriteNullValue();
                return true;
        }
    }

    private bool TryWriteField(ref byte source, int at, int end, FieldDescriptor field, int depth)
    {
        List<Range> places = Places(ref source, at, end, field, depth);
        if (places.Count == 0)
        {
            return true;
        }

        if (field.IsMap)
        {
            return TryWriteMap(ref source, places, field, depth);
        }

        if (field.IsRepeated)
        {
            return TryWriteRepeated(ref source, places, field, depth);
        }

        if (field.FieldType == FieldType.Message)
        {
            _json.WritePropertyName(field.Name);
            return TryWriteMerged(ref source, places, field.MessageType, depth + 1);
        }

        Range last = places[^1];
        if (!field.HasPresence && IsDefault(ref source, last, field))
        {
            return true;
        }

        _json.WritePropertyName(field.Name);
        WriteScalar(ref source, last, field, TypeNames.KindOf(field));
        return true;
    }

    private bool TryWriteRepeated(ref byte source, List<Range> places, FieldDescriptor field, int depth)
    {
        _json.WriteStartArray(field.Name);
        ValueKind kind = TypeNames.KindOf(field);
        foreach (Range place in places)
        {
            if (field.FieldType == FieldType.Message)
            {
                if (!TryWrite(ref source, place.Start.Value, place.End.Value, field.MessageType, depth + 1))
                {
                    return false;
                }
            }
            else
            {
                WriteScalar(ref source, place, field, kind);
            }
        }

        _json.WriteEndArray();
        return true;
    }

    private bool TryWriteMap(ref byte source, List<Range> places, FieldDescriptor field, int depth)
    {
        FieldDescriptor keyField = field.MessageType.FindFieldByNumber(1);
        FieldDescriptor valueField = field.MessageType.FindFieldByNumber(2);
        var entries = new Dictionary<string, Range>();
        foreach (Range place in places)
        {
            int at = place.Start.Value;
            int end = place.End.Value;
            List<Range> keys = Places(ref source, at, end, keyField, depth);
            List<Range> values = Places(ref source, at, end, valueField, depth);
            entries[KeyText(ref source, keys, keyField)] = values.Count == 0 ? 0..0 : values[^1];
        }

        _json.WriteStartObject(field.Name);
        foreach ((string key, Range place) in entries)
        {
            _json.WritePropertyName(key);
            if (valueField.FieldType != FieldType.Message)
            {
                WriteScalar(ref source, place, valueField, TypeNames.KindOf(valueField));
            }
            else if (!TryWrite(
                ref source, place.Start.Value, place.End.Value, valueField.MessageType, depth + 2))
            {
                return false;
            }
        }

        _json.WriteEndObject();
        return true;
    }

    private string KeyText(ref byte source, List<Range> keys, FieldDescriptor field)
    {
        Range place = keys.Count == 0 ? 0..0 : keys[^1];
        if (field.FieldType == FieldType.String)
        {
            ReadOnlySpan<byte> text = BytesAt(ref source, place);
            FoundUnreadableText |= !Utf8.IsValid(text);
            return System.Text.Encoding.UTF8.GetString(text);
        }

        ulong number = NumberAt(ref source, place, field);
        return TypeNames.KindOf(field) switch
        {
            ValueKind.Bool => number != 0 ? "true" : "false",
            ValueKind.UInt32 or ValueKind.Fixed32 or ValueKind.UInt64 or ValueKind.Fixed64 =>
                number.ToString(CultureInfo.InvariantCulture),
            _ => ((long)number).ToString(CultureInfo.InvariantCulture),
        };
    }

    private bool TryWriteMerged(ref byte source, List<Range> places, MessageDescriptor type, int depth)
    {
        if (depth > Wire.MaxDepth)
        {
            return false;
        }

        if (places.Count == 1)
        {
            return TryWrite(ref source, places[0].Start.Value, places[0].End.Value, type, depth);
        }

        // Messages one after the other are the merged message.
        var merged = new MemoryStream();
        foreach (Range place in places)
        {
            merged.Write(BytesAt(ref source, place));
        }

        byte[] bytes = merged.ToArray();
        return TryWrite(ref MemoryMarshal.GetArrayDataReference(bytes), 0, bytes.Length, type, depth);
    }

    private bool TryWriteMoment(ref byte source, int at, int end, bool isTimestamp)
    {
        ReadOnlySpan<byte> bytes = BytesAt(ref source, at..end);
        string text = isTimestamp
            ? MomentText(Timestamp.Parser.ParseFrom(bytes).ToString())
            : MomentText(Duration.Parser.ParseFrom(bytes).ToString());
        _json.WriteStringValue(text);
        return true;
    }

    // Google.Protobuf quotes what it can format and writes an object for what is out of range.
    private static string MomentText(string json) => json.StartsWith('"') ? json.Trim('"') : json;

    private void WriteScalar(ref byte source, Range place, FieldDescriptor field, ValueKind kind)
    {
        switch (kind)
        {
            case ValueKind.String:
                WriteText(BytesAt(ref source, place));
                return;
            case ValueKind.Bytes:
                _json.WriteBase64StringValue(BytesAt(ref source, place));
                return;
        }

        ulong number = NumberAt(ref source, place, field);
        switch (kind)
        {
            case ValueKind.Bool:
                _json.WriteBooleanValue(number != 0);
                break;
            case ValueKind.Float:
                WriteNumber(BitConverter.UInt32BitsToSingle((uint)number));
                break;
            case ValueKind.Double:
                WriteNumber(BitConverter.UInt64BitsToDouble(number));
                break;
            case ValueKind.Enum:
                WriteEnum(field.EnumType, (int)number);
                break;
            case ValueKind.UInt32 or ValueKind.Fixed32:
                _json.WriteNumberValue((uint)number);
                break;
            case ValueKind.Int32 or ValueKind.SInt32 or ValueKind.SFixed32:
                _json.WriteNumberValue((int)number);
                break;
            case ValueKind.UInt64 or ValueKind.Fixed64:
                _json.WriteStringValue(number.ToString(CultureInfo.InvariantCulture));
                break;
            default:
                _json.WriteStringValue(((long)number).ToString(CultureInfo.InvariantCulture));
                break;
        }
    }

    private void WriteEnum(EnumDescriptor type, int number)
    {
        if (type.FindValueByNumber(number) is { } value)
        {
            _json.WriteStringValue(value.Name);
        }
        else
        {
            _json.WriteNumberValue(number);
        }
    }

    private void WriteNumber(double number)
    {
        if (double.IsFinite(number))
        {
            _json.WriteNumberValue(number);
        }
        else
        {
            _json.WriteStringValue(number.ToString(CultureInfo.InvariantCulture));
        }
    }

    private void WriteNumber(float number)
    {
        if (float.IsFinite(number))
        {
            _json.WriteNumberValue(number);
        }
        else
        {
            _json.WriteStringValue(number.ToString(CultureInfo.InvariantCulture));
        }
    }

    private void WriteText(ReadOnlySpan<byte> text)
    {
        bool valid = Utf8.IsValid(text);
        FoundUnreadableText |= !valid;
        _json.WriteStringValue(valid ? text : []);
    }

    private void WriteName(ReadOnlySpan<byte> text)
    {
        bool valid = Utf8.IsValid(text);
        FoundUnreadableText |= !valid;
        _json.WritePropertyName(valid ? text : []);
    }

    private static bool IsWellFormed(ref byte source, int at, int end, int depth)
    {
        while (at < end)
        {
            at = Wire.ReadTag(ref source, at, end, out uint tag);
            at = at < 0 ? at : Wire.Skip(ref source, at, end, tag, depth);
            if (at < 0)
            {
                return false;
            }
        }

        return depth <= Wire.MaxDepth;
    }

    /// <summary>Where a field's values lie in a message that is well formed, packed lists item by item.</summary>
    private static List<Range> Places(ref byte source, int at, int end, FieldDescriptor field, int depth)
    {
        var places = new List<Range>();
        uint wireType = field.IsMap ? Wire.Len : PlanCompiler.WireTypeOf(TypeNames.KindOf(field));
        while (at < end)
        {
            at = Wire.ReadTag(ref source, at, end, out uint tag);
            int next = Wire.Skip(ref source, at, end, tag, depth);
            int number = (int)(tag >> 3);
            if (number == field.FieldNumber)
            {
                AddPlaces(ref source, at, next, tag & 7, wireType, field, places);
            }
            else if (field.RealContainingOneof?.Fields.Any(f => f.FieldNumber == number) == true)
            {
                // Another member of the oneof replaces it.
                places.Clear();
            }

            at = next;
        }

        return places;
    }

    private static void AddPlaces(
        ref byte source, int at, int next, uint tagWireType, uint wireType, FieldDescriptor field, List<Range> places)
    {
        if (tagWireType == wireType)
        {
            int start = wireType == Wire.Len ? Wire.ReadLength(ref source, at, next, out _) : at;
            places.Add(start..next);
            return;
        }

        if (tagWireType != Wire.Len || !field.IsRepeated || wireType == Wire.Len)
        {
            return;
        }

        int item = Wire.ReadLength(ref source, at, next, out _);
        while (item >= 0 && item < next)
        {
            int after = Wire.Skip(ref source, item, next, wireType, 0);
            if (after >= 0)
            {
                places.Add(item..after);
            }

            item = after;
        }
    }

    private static ReadOnlySpan<byte> BytesAt(ref byte source, Range place) => MemoryMarshal.CreateReadOnlySpan(
        ref Unsafe.Add(ref source, place.Start.Value), place.End.Value - place.Start.Value);

    private static bool IsDefault(ref byte source, Range place, FieldDescriptor field) =>
        PlanCompiler.WireTypeOf(TypeNames.KindOf(field)) == Wire.Len
            ? place.Start.Value == place.End.Value
            : NumberAt(ref source, place, field) == 0;

    private static ulong NumberAt(ref byte source, Range place, FieldDescriptor field)
    {
        int at = place.Start.Value;
        int end = place.End.Value;
        if (at == end)
        {
            return 0;
        }

        ValueKind kind = TypeNames.KindOf(field);
        switch (PlanCompiler.WireTypeOf(kind))
        {
            case Wire.I64:
                return Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref source, at));
            case Wire.I32:
                uint bits = Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref source, at));
                return kind == ValueKind.SFixed32 ? (ulong)(int)bits : bits;
        }

        Wire.ReadVarint(ref source, at, end, out ulong number);
        return kind switch
        {
            ValueKind.Int32 or ValueKind.Enum => (ulong)(int)number,
            ValueKind.UInt32 => (uint)number,
            ValueKind.SInt32 => (ulong)(int)(((uint)number >> 1) ^ (0 - ((uint)number & 1))),
            ValueKind.SInt64 => (number >> 1) ^ (0 - (number & 1)),
            ValueKind.Bool => number != 0 ? 1UL : 0UL,
            _ => number,
        };
    }
}
