using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Unicode;
using Google.Protobuf.Reflection;
using Ingest.Schema;

namespace Ingest.Decoding;

// Single values.
internal ref partial struct JsonTranscoder
{
    // Longest text of a number of 64 bits; a Duration has a point, nine digits and an s besides.
    private const int MaxNumberBytes = 40;

    private const int NanosPerSecond = 1_000_000_000;

    // 0001-01-01 and 9999-12-31T23:59:59, in Unix seconds: what a Timestamp may say.
    private const long MinTimestampSeconds = -62_135_596_800;
    private const long MaxTimestampSeconds = 253_402_300_799;

    /// <summary>Writes a value whose content lies there; an empty place is the type's default.</summary>
    private readonly void WriteScalar(int at, int end, FieldLayout field)
    {
        switch (field.Kind)
        {
            case ValueKind.String:
                ReadOnlySpan<byte> text = Bytes(at, end);
                _json.WriteStringValue(Utf8.IsValid(text) ? text : []);
                return;
            case ValueKind.Bytes:
                _json.WriteBase64StringValue(Bytes(at, end));
                return;
        }

        ulong number = NumberAt(at, end, field.Kind);
        switch (field.Kind)
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
                WriteEnum(field.Field.EnumType, (int)number);
                break;
            case ValueKind.UInt32 or ValueKind.Fixed32:
                _json.WriteNumberValue((uint)number);
                break;
            case ValueKind.Int32 or ValueKind.SInt32 or ValueKind.SFixed32:
                _json.WriteNumberValue((int)number);
                break;
            default:
                Span<byte> digits = stackalloc byte[MaxNumberBytes];
                _json.WriteStringValue(digits[..FormatInteger(number, field.Kind, digits)]);
                break;
        }
    }

    private readonly void WriteKey(in MapEntry entry, FieldLayout key)
    {
        switch (key.Kind)
        {
            case ValueKind.String:
                ReadOnlySpan<byte> text = MapEntries.KeyOf(ref _source, entry);
                _json.WritePropertyName(Utf8.IsValid(text) ? text : []);
                break;
            case ValueKind.Bool:
                _json.WritePropertyName(entry.Key != 0 ? "true"u8 : "false"u8);
                break;
            default:
                Span<byte> digits = stackalloc byte[MaxNumberBytes];
                _json.WritePropertyName(digits[..FormatInteger(entry.Key, key.Kind, digits)]);
                break;
        }
    }

    private static int FormatInteger(ulong number, ValueKind kind, Span<byte> target)
    {
        int length;
        switch (kind)
        {
            case ValueKind.UInt64 or ValueKind.Fixed64 or ValueKind.UInt32 or ValueKind.Fixed32:
                number.TryFormat(target, out length, default, CultureInfo.InvariantCulture);
                break;
            case ValueKind.Int32 or ValueKind.SInt32 or ValueKind.SFixed32:
                ((int)number).TryFormat(target, out length, default, CultureInfo.InvariantCulture);
                break;
            default:
                ((long)number).TryFormat(target, out length, default, CultureInfo.InvariantCulture);
                break;
        }

        return length;
    }

    private readonly void WriteEnum(EnumDescriptor type, int number)
    {
        if (type.FullName == "google.protobuf.NullValue")
        {
            _json.WriteNullValue();
        }
        else if (type.FindValueByNumber(number) is { } value)
        {
            _json.WriteStringValue(value.Name);
        }
        else
        {
            _json.WriteNumberValue(number);
        }
    }

    private readonly void WriteNumber(double number)
    {
        if (double.IsFinite(number))
        {
            _json.WriteNumberValue(number);
        }
        else
        {
            WriteNotFinite(number);
        }
    }

    private readonly void WriteNumber(float number)
    {
        if (float.IsFinite(number))
        {
            _json.WriteNumberValue(number);
        }
        else
        {
            WriteNotFinite(number);
        }
    }

    private readonly void WriteNotFinite(double number) => _json.WriteStringValue(
        double.IsNaN(number) ? "NaN"u8 : number > 0 ? "Infinity"u8 : "-Infinity"u8);

    private void WriteMoment(MessageLayout type, int frame)
    {
        long seconds = (long)LastNumber(type.Fields[0], frame);
        int nanos = (int)LastNumber(type.Fields[1], frame);
        bool isTimestamp = type.Form == MessageLayout.JsonForm.Timestamp;
        bool fits = isTimestamp
            ? seconds is >= MinTimestampSeconds and <= MaxTimestampSeconds && (uint)nanos < NanosPerSecond
            : RowCheck.IsDuration(seconds, nanos);
        if (!fits)
        {
            FoundTimeOutOfRange = true;
            _json.WriteNullValue();
            return;
        }

        Span<byte> text = stackalloc byte[MaxNumberBytes];
        int length;
        if (isTimestamp)
        {
            DateTimeOffset.FromUnixTimeSeconds(seconds)
                .TryFormat(text, out length, "yyyy-MM-ddTHH:mm:ss", CultureInfo.InvariantCulture);
        }
        else
        {
            length = 0;
            if (seconds < 0 || nanos < 0)
            {
                text[length++] = (byte)'-';
            }

            Math.Abs(seconds).TryFormat(text[length..], out int digits, default, CultureInfo.InvariantCulture);
            length += digits;
        }

        length += FormatNanos(Math.Abs(nanos), text[length..]);
        text[length++] = isTimestamp ? (byte)'Z' : (byte)'s';
        _json.WriteStringValue(text[..length]);
    }

    // None, three, six or nine digits, as many as are needed.
    private static int FormatNanos(int nanos, Span<byte> target)
    {
        if (nanos == 0)
        {
            return 0;
        }

        nanos.TryFormat(target[1..], out _, "D9", CultureInfo.InvariantCulture);
        target[0] = (byte)'.';
        return nanos % 1_000_000 == 0 ? 4 : nanos % 1_000 == 0 ? 7 : 10;
    }

    private readonly ulong LastNumber(FieldLayout field, int frame)
    {
        int last = _occurrences.Last(frame + field.Index);
        return last == Occurrences.None
            ? 0
            : NumberAt(_occurrences[last].At, _occurrences[last].End, field.Kind);
    }

    private readonly ReadOnlySpan<byte> Bytes(int at, int end) =>
        MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref _source, at), end - at);

    private readonly bool IsDefault(int at, int end, FieldLayout field) =>
        field.WireType == Wire.Len ? at == end : NumberAt(at, end, field.Kind) == 0;

    private readonly ulong NumberAt(int at, int end, ValueKind kind)
    {
        if (at == end)
        {
            return 0;
        }

        switch (Wire.TypeOf(kind))
        {
            case Wire.I64:
                return Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref _source, at));
            case Wire.I32:
                return Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref _source, at));
        }

        Wire.ReadVarint(ref _source, at, end, out ulong varint);
        // An enum is cut to 32 bits, as an int32.
        return kind == ValueKind.Enum ? (uint)varint : Wire.ValueOf(PlanCompiler.ValueOpOf(kind, false), varint);
    }
}
