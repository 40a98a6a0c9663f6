using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Unicode;
using Ingest.Columns;

namespace Ingest.Decoding;

// Lists, and what is in them, to JSON, as JsonTranscoder writes it.
internal ref partial struct StructReader
{
    private const byte ItemTag = (1 << 3) | (byte)Wire.Len;
    private const int ShortBytes = 32;

    // A control character becomes six bytes, and what is beyond the first plane twelve of four.
    private const int MostEscapedPerByte = 6;

    // A longer one that needs escapes would take room for six times its length.
    private const int MostEscapedBytes = 4096;

    // The value of a ListValue: its length is read here.
    private bool TryWriteList(int at, int end, int name, int levels)
    {
        at = Enter(at, end);
        if (at < 0 || levels == 0)
        {
            return false;
        }

        WriteByte((byte)'[');
        bool isFirst = true;
        while (at < end)
        {
            if (Unsafe.Add(ref _source, at) != ItemTag)
            {
                return false;
            }

            at = Wire.ReadLength(ref _source, at + 1, end, out int length);
            if (at < 0 || length == 0)
            {
                return false;
            }

            if (!isFirst)
            {
                WriteByte((byte)',');
            }

            isFirst = false;
            if (!TryWriteValue(at, at + length, name, levels - 1))
            {
                return false;
            }

            at += length;
        }

        WriteByte((byte)']');
        return true;
    }

    private bool TryWriteObject(int at, int end, int name, int levels)
    {
        at = Enter(at, end);
        if (at < 0 || levels == 0)
        {
            return false;
        }

        WriteByte((byte)'{');
        long thisObject = _known.BeginObject();
        int member = name;
        while (at < end)
        {
            if (member != name)
            {
                WriteByte((byte)',');
            }

            at = ReadName(at, end, name, thisObject, ref member, out int last);
            if (at < 0 || !TryWriteText(_nameAt, _nameLength))
            {
                return false;
            }

            WriteByte((byte)':');
            if (!TryWriteValue(at, last, member, levels - 1))
            {
                return false;
            }

            at = last;
        }

        WriteByte((byte)'}');
        return true;
    }

    private bool TryWriteValue(int at, int end, int name, int levels)
    {
        uint tag = Unsafe.Add(ref _source, at++);
        switch (tag)
        {
            case StructWire.StringTag:
                at = Enter(at, end);
                return at >= 0 && TryWriteText(at, end - at);

            case StructWire.NumberTag:
                if (end - at != sizeof(double))
                {
                    return false;
                }

                WriteNumber(Unsafe.ReadUnaligned<double>(ref Unsafe.Add(ref _source, at)));
                return true;

            case StructWire.BoolTag:
                if (at + 1 != end || Unsafe.Add(ref _source, at) > 1)
                {
                    return false;
                }

                Write(Unsafe.Add(ref _source, at) == 0 ? "false"u8 : "true"u8);
                return true;

            case StructWire.NullTag:
                if (at + 1 != end || Unsafe.Add(ref _source, at) != 0)
                {
                    return false;
                }

                Write("null"u8);
                return true;

            case StructWire.StructTag:
                return TryWriteObject(at, end, name, levels);

            case StructWire.ListTag:
                return TryWriteList(at, end, name, levels);

            default:
                return false;
        }
    }

    private void WriteNumber(double number)
    {
        if (double.IsFinite(number))
        {
            Span<byte> room = _texts.LongRoom(_written, NumberText.TargetBytes);
            _written += NumberText.Write(number, ref MemoryMarshal.GetReference(room));
        }
        else
        {
            Write(double.IsNaN(number) ? "\"NaN\""u8 : number > 0 ? "\"Infinity\""u8 : "\"-Infinity\""u8);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryWriteText(int at, int length)
    {
        if (length <= ShortBytes && _limit - at >= ShortBytes)
        {
            ref byte target = ref MemoryMarshal.GetReference(_texts.LongRoom(_written, ShortBytes + 2));
            target = (byte)'"';
            if (JsonPlainText.TryCopyShort(ref Unsafe.Add(ref _source, at), length, ref Unsafe.Add(ref target, 1)))
            {
                Unsafe.Add(ref target, length + 1) = (byte)'"';
                _written += length + 2;
                return true;
            }
        }

        return TryWriteAnyText(MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref _source, at), length));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryWriteAnyText(ReadOnlySpan<byte> text)
    {
        WriteByte((byte)'"');
        if (JsonPlainText.IsPlain(text))
        {
            Write(text);
        }
        else
        {
            if (text.Length > MostEscapedBytes || !Utf8.IsValid(text))
            {
                return false;
            }

            Span<byte> room = _texts.LongRoom(_written, text.Length * MostEscapedPerByte);
            OperationStatus status = JavaScriptEncoder.UnsafeRelaxedJsonEscaping.EncodeUtf8(
                text, room, out _, out int written);
            if (status != OperationStatus.Done)
            {
                return false;
            }

            _written += written;
        }

        WriteByte((byte)'"');
        return true;
    }

    private void WriteByte(byte value)
    {
        _texts.LongRoom(_written, 1)[0] = value;
        _written++;
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_texts.LongRoom(_written, bytes.Length));
        _written += bytes.Length;
    }
}
