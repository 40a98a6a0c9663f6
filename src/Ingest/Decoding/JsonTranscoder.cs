using System.Text.Json;

namespace Ingest.Decoding;

/// <summary>
/// Writes messages on the wire as protobuf's JSON with the fields' own names (not lowerCamelCase): 64-bit integers are
/// strings, bytes base64, timestamps RFC 3339; fields with default values are left out.
/// Source: protobuf.dev, ProtoJSON format.
/// </summary>
/// <remarks>
/// The bytes have passed <see cref="WireCheck"/>, so nothing here can fail but a time that JSON cannot say. Each byte
/// is looked at once a level of nesting at most; what is gathered lies in the batch's scratch.
/// </remarks>
internal ref partial struct JsonTranscoder
{
    private readonly ref byte _source;
    private readonly RowScratch _scratch;
    private readonly Occurrences _occurrences;
    private readonly Utf8JsonWriter _json;

    /// <summary>Begins a text.</summary>
    public JsonTranscoder(ref byte source, RowScratch scratch)
    {
        _source = ref source;
        _scratch = scratch;
        _occurrences = scratch.Occurrences;
        _json = scratch.Json;
        scratch.BeginJson();
    }

    /// <summary>Whether a time was beyond what JSON can say; it was written as null.</summary>
    public bool FoundTimeOutOfRange { get; private set; }

    /// <summary>The text.</summary>
    public readonly ReadOnlySpan<byte> Finish()
    {
        _json.Flush();
        return _scratch.JsonText.WrittenSpan;
    }

    /// <summary>Writes the occurrences of a repeated field as a list.</summary>
    public void WriteList(int first, MessageLayout type)
    {
        _json.WriteStartArray();
        for (int i = first; i != Occurrences.None; i = _occurrences[i].Next)
        {
            WriteOne(_occurrences[i].At, _occurrences[i].End, type);
        }

        _json.WriteEndArray();
    }

    /// <summary>Writes one message.</summary>
    public void WriteOne(int at, int end, MessageLayout type)
    {
        int count = _occurrences.Count;
        int frame = _occurrences.BeginFrame(1);
        _occurrences.Add(frame, at, end);
        WriteMerged(_occurrences.First(frame), type);
        _occurrences.EndFrame(frame, count);
    }

    /// <summary>Writes the occurrences of a singular field as one message: they are merged.</summary>
    public void WriteMerged(int first, MessageLayout type)
    {
        int count = _occurrences.Count;
        int frame = _occurrences.BeginFrame(type.Fields.Length);
        for (int i = first; i != Occurrences.None; i = _occurrences[i].Next)
        {
            Gather(_occurrences[i].At, _occurrences[i].End, type, frame);
        }

        switch (type.Form)
        {
            case MessageLayout.JsonForm.Struct:
                WriteMap(_occurrences.First(frame), type.Fields[0]);
                break;
            case MessageLayout.JsonForm.Value:
                WriteValue(type, frame);
                break;
            case MessageLayout.JsonForm.List:
                WriteRepeated(_occurrences.First(frame), type.Fields[0]);
                break;
            case MessageLayout.JsonForm.Timestamp:
            case MessageLayout.JsonForm.Duration:
                WriteMoment(type, frame);
                break;
            default:
                WriteObject(type, frame);
                break;
        }

        _occurrences.EndFrame(frame, count);
    }

    // One pass over a message: the occurrences of each of its fields to a chain.
    private readonly void Gather(int at, int end, MessageLayout type, int frame)
    {
        while (at < end)
        {
            at = Wire.ReadTag(ref _source, at, end, out uint tag);
            int next = Wire.Skip(ref _source, at, end, tag, depth: 0);
            if (type.Find(tag) is { } field)
            {
                int content = (tag & 7) == Wire.Len ? Wire.ReadLength(ref _source, at, end, out _) : at;
                foreach (int sibling in field.Siblings)
                {
                    _occurrences.Clear(frame + sibling);
                }

                _occurrences.Add(frame + field.Index, content, next, field.IsPacked(tag));
            }

            at = next;
        }
    }

    private void WriteObject(MessageLayout type, int frame)
    {
        _json.WriteStartObject();
        foreach (FieldLayout field in type.Fields)
        {
            int first = _occurrences.First(frame + field.Index);
            if (first == Occurrences.None)
            {
                continue;
            }

            if (field.IsMap)
            {
                _json.WritePropertyName(field.Name);
                WriteMap(first, field);
            }
            else if (field.IsRepeated)
            {
                WriteRepeatedField(first, field);
            }
            else
            {
                WriteSingleField(frame, field);
            }
        }

        _json.WriteEndObject();
    }

    private void WriteSingleField(int frame, FieldLayout field)
    {
        ref readonly Occurrences.Occurrence last = ref _occurrences[_occurrences.Last(frame + field.Index)];
        if (!field.Field.HasPresence && IsDefault(last.At, last.End, field))
        {
            return;
        }

        _json.WritePropertyName(field.Name);
        WriteSingle(frame, field);
    }

    private void WriteSingle(int frame, FieldLayout field)
    {
        int chain = frame + field.Index;
        if (field.Message is { } message)
        {
            WriteMerged(_occurrences.First(chain), message);
            return;
        }

        ref readonly Occurrences.Occurrence last = ref _occurrences[_occurrences.Last(chain)];
        WriteScalar(last.At, last.End, field);
    }

    // A list of numbers can be there and have no items.
    private void WriteRepeatedField(int first, FieldLayout field)
    {
        for (int i = first; i != Occurrences.None; i = _occurrences[i].Next)
        {
            if (!_occurrences[i].IsPacked || _occurrences[i].At < _occurrences[i].End)
            {
                _json.WritePropertyName(field.Name);
                WriteRepeated(i, field);
                return;
            }
        }
    }

    private void WriteRepeated(int first, FieldLayout field)
    {
        if (field.Message is { } message)
        {
            WriteList(first, message);
            return;
        }

        _json.WriteStartArray();
        for (int i = first; i != Occurrences.None; i = _occurrences[i].Next)
        {
            int at = _occurrences[i].At;
            int end = _occurrences[i].End;
            if (!_occurrences[i].IsPacked)
            {
                WriteScalar(at, end, field);
                continue;
            }

            while (at < end)
            {
                int next = Wire.Skip(ref _source, at, end, field.WireType, depth: 0);
                WriteScalar(at, next, field);
                at = next;
            }
        }

        _json.WriteEndArray();
    }

    private void WriteMap(int first, FieldLayout field)
    {
        FieldLayout key = field.Message!.Fields[0];
        FieldLayout value = field.Message.Fields[1];
        FieldOp keyOp = PlanCompiler.ValueOpOf(key.Kind, lowCardinality: true);
        List<MapEntry> entries = _scratch.Entries;
        int begin = entries.Count;
        for (int i = first; i != Occurrences.None; i = _occurrences[i].Next)
        {
            entries.Add(MapEntries.Read(ref _source, _occurrences[i].At, _occurrences[i].End, keyOp, value.WireType));
        }

        MapEntries.KeepLastOfKey(_scratch, ref _source, begin);
        _json.WriteStartObject();
        int end = entries.Count;
        for (int i = begin; i < end; i++)
        {
            if (entries[i].IsLive)
            {
                WriteKey(entries[i], key);
                WriteEntryValue(entries[i], value);
            }
        }

        _json.WriteEndObject();
        entries.RemoveRange(begin, end - begin);
    }

    private void WriteEntryValue(in MapEntry entry, FieldLayout value)
    {
        // Without a value it is the type's default, which an empty place says.
        int at = 0;
        int end = 0;
        if (entry.ValueAt >= 0)
        {
            at = entry.ValueAt;
            end = Wire.Skip(ref _source, at, entry.End, value.WireType, depth: 0);
            at = value.WireType == Wire.Len ? Wire.ReadLength(ref _source, at, entry.End, out _) : at;
        }

        if (value.Message is { } message)
        {
            WriteOne(at, end, message);
        }
        else
        {
            WriteScalar(at, end, value);
        }
    }

    // Of a oneof's members one has occurrences, or none.
    private void WriteValue(MessageLayout type, int frame)
    {
        foreach (FieldLayout field in type.Fields)
        {
            if (_occurrences.First(frame + field.Index) != Occurrences.None)
            {
                WriteSingle(frame, field);
                return;
            }
        }

        _json.WriteNullValue();
    }
}
