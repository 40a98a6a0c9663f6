using Google.Protobuf;
using Ingest.Decoding;

namespace Ingest.Tests.Decoding;

/// <summary>Packed varints, many at a time, beside what Google.Protobuf reads one by one.</summary>
public sealed class PackedVarintsTests
{
    /// <summary>Largest numbers of one byte, two, three, and ten.</summary>
    public static TheoryData<ulong[]> Limits => new(
        [0x7f],
        [0x3fff],
        [0x1f_ffff],
        [ulong.MaxValue],
        [0x7f, 0x3fff],
        [0x3fff, 0x3fff, 0x3fff, 0x3fff, 0x3fff, 0x3fff, 0x3fff, 0x3fff, 0x3fff, ulong.MaxValue],
        [0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x3fff]);

    [Theory]
    [MemberData(nameof(Limits))]
    public void Differences_of_any_length_add_up_to_what_they_do_one_by_one(ulong[] limits)
    {
        var random = new Random(limits.Length + (int)limits[0]);
        for (int count = 0; count < 200; count++)
        {
            ulong[] numbers = Numbers(random, limits, count);
            byte[] packed = Pack(numbers);
            long sum = random.NextInt64(long.MinValue, long.MaxValue);
            long start = sum;
            long[] expected = [.. numbers.Select(n => sum += (long)(n >> 1) ^ -(long)(n & 1))];

            long[] sums = new long[PackedVarints.Count(packed)];
            Assert.True(PackedVarints.TryReadSums(packed, start, sums));
            Assert.Equal(expected, sums);
        }
    }

    [Theory]
    [MemberData(nameof(Limits))]
    public void Numbers_of_any_length_are_those_that_were_written(ulong[] limits)
    {
        var random = new Random(limits.Length + (int)limits[0]);
        for (int count = 0; count < 200; count++)
        {
            ulong[] numbers = Numbers(random, limits, count);
            byte[] packed = Pack(numbers);
            int[] read = new int[PackedVarints.Count(packed)];
            Assert.True(PackedVarints.TryRead(packed, read));
            Assert.Equal(numbers.Select(n => (int)n), read);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(8)]
    [InlineData(40)]
    public void A_varint_of_eleven_bytes_is_refused_wherever_it_stands(int before)
    {
        byte[] packed = [.. new byte[before], .. Enumerable.Repeat((byte)0x80, 10), 1, .. new byte[20]];
        int count = PackedVarints.Count(packed);
        Assert.False(PackedVarints.TryReadSums(packed, 0, new long[count]));
        Assert.False(PackedVarints.TryRead(packed, new int[count]));
    }

    // The extremes of each length among them.
    private static ulong[] Numbers(Random random, ulong[] limits, int count) =>
    [
        .. Enumerable.Range(0, count).Select(i => limits[i % limits.Length] is var limit && random.Next(3) == 0
            ? limit
            : (ulong)random.NextInt64() & limit),
    ];

    private static byte[] Pack(ulong[] numbers)
    {
        var bytes = new MemoryStream();
        using (var output = new CodedOutputStream(bytes))
        {
            foreach (ulong number in numbers)
            {
                output.WriteUInt64(number);
            }
        }

        return bytes.ToArray();
    }
}
