using System.Globalization;
using System.Text;
using Ingest.Cli.Binding;

namespace Ingest.Cli.Tests.Binding;

public sealed class TimeValueTests
{
    [Theory]
    [InlineData("1211033530", "2008-05-17T14:12:10.000000")]
    [InlineData("1211033530.25", "2008-05-17T14:12:10.250000")]
    [InlineData("1211033530123", "2008-05-17T14:12:10.123000")]
    [InlineData("1211033530123456", "2008-05-17T14:12:10.123456")]
    [InlineData("1211033530123456789", "2008-05-17T14:12:10.123456")]
    [InlineData("2008-05-17", "2008-05-17T00:00:00.000000")]
    [InlineData("2008/5/7 4:02", "2008-05-07T04:02:00.000000")]
    [InlineData("2008-05-17T14:12:10Z", "2008-05-17T14:12:10.000000")]
    [InlineData("2008-05-17 14:12:10.1234567+02:00", "2008-05-17T12:12:10.123456")]
    [InlineData("2008-05-17 23:12:10-0330", "2008-05-18T02:42:10.000000")]
    [InlineData("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.500000")]
    public void Times_are_read(string text, string expected) =>
        Assert.Equal(expected, Read(text, new BindingOptions()));

    [Theory]
    [InlineData("")]
    [InlineData("soon")]
    [InlineData("2008-02-30")]
    [InlineData("2008-05-17T25:00:00Z")]
    [InlineData("2008-05-17T12:00:00 o'clock")]
    [InlineData("2008-05-17T12:0")]
    [InlineData("12:00:0x")]
    [InlineData("0000-01-01")]
    [InlineData("-")]
    [InlineData("2008-")]
    public void What_is_no_time_is_refused(string text) =>
        Assert.False(default(TimeValue) is var time && time.TrySet(Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void A_zone_is_for_times_that_say_none()
    {
        var options = new BindingOptions { UtcOffset = TimeSpan.FromHours(-7) };
        Assert.Equal("2020-01-01T19:00:00.000000", Read("2020-01-01 12:00:00", options));
        Assert.Equal("2020-01-01T12:00:00.000000", Read("2020-01-01 12:00:00Z", options));
        Assert.Equal("2008-05-17T14:12:10.000000", Read("1211033530", options));
    }

    [Fact]
    public void A_date_and_a_time_of_day_make_a_time_in_any_order()
    {
        var time = default(TimeValue);
        Assert.True(time.TrySet("12:30:15"u8));
        Assert.False(time.TryResolve(new BindingOptions(), out _));
        Assert.True(time.TrySet("2020-01-01"u8));
        Assert.True(time.TryResolve(new BindingOptions(), out var micros));
        Assert.Equal("2020-01-01T12:30:15.000000", Format(micros));
    }

    private static string Read(string text, BindingOptions options)
    {
        var time = default(TimeValue);
        Assert.True(time.TrySet(Encoding.UTF8.GetBytes(text)));
        Assert.True(time.TryResolve(options, out var micros));
        var stored = new Google.Protobuf.WellKnownTypes.Timestamp();
        TimeValue.Store(micros, stored);
        Assert.Equal(DateTime.UnixEpoch.AddTicks(micros * 10), stored.ToDateTime());
        return Format(micros);
    }

    private static string Format(long micros) => DateTime.UnixEpoch.AddTicks(micros * TimeSpan.TicksPerMicrosecond)
        .ToString("yyyy-MM-ddTHH:mm:ss.ffffff", CultureInfo.InvariantCulture);
}
