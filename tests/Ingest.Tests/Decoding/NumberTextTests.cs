using System.Globalization;
using System.Text;
using Ingest.Decoding;

namespace Ingest.Tests.Decoding;

public sealed class NumberTextTests
{
    [Theory]
    [InlineData(0.0)]
    [InlineData(7)]
    [InlineData(-10)]
    [InlineData(99)]
    [InlineData(100)]
    [InlineData(999_999_999_999_999)]
    [InlineData(-1e15)]
    [InlineData(1e15)]
    [InlineData(9_007_199_254_740_993)]
    [InlineData(0.25)]
    [InlineData(-12.3)]
    [InlineData(0.1)]
    [InlineData(0.3)]
    [InlineData(0.1 + 0.2)]
    [InlineData(1.005)]
    [InlineData(-23.550_52)]
    [InlineData(123.456_789_012)]
    [InlineData(123.456_789_012_345)]
    [InlineData(0.001)]
    [InlineData(0.000_999)]
    [InlineData(0.000_1)]
    [InlineData(0.000_01)]
    [InlineData(999_999_999.999_999)]
    [InlineData(999_999_999.999_999_9)]
    [InlineData(1_000_000_000.5)]
    [InlineData(999.999_999_999_999)]
    [InlineData(1.0 / 3)]
    [InlineData(double.Epsilon)]
    [InlineData(double.MinValue)]
    [InlineData(-1.234_567_890_123_456_7E-300)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    public void A_number_is_written_as_the_runtime_writes_it(double number) => AssertSame(number);

    [Fact]
    public void Random_numbers_are_written_as_the_runtime_writes_them()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        AssertSame(-0.0);
        for (var i = 0; i < 100_000; i++)
        {
            AssertSame(BitConverter.Int64BitsToDouble(random.NextInt64()));

            // A number that people write, and its neighbours.
            var decimals = random.Next(16);
            var number = random.NextInt64((long)Math.Pow(10, random.Next(1, 18))) / Math.Pow(10, decimals);
            AssertSame(-number);
            AssertSame(Math.BitIncrement(number));
            AssertSame(Math.BitDecrement(number));
            Assert.True(Text(number) == number.ToString(CultureInfo.InvariantCulture), $"seed {seed}: {number:R}");
        }
    }

    private static void AssertSame(double number) =>
        Assert.Equal(number.ToString(CultureInfo.InvariantCulture), Text(number));

    private static string Text(double number)
    {
        var target = new byte[NumberText.TargetBytes];
        var length = NumberText.Write(number, ref target[0]);
        return Encoding.ASCII.GetString(target, 0, length);
    }
}
