using Ingest.Log;
using Ingest.Server.Http;

namespace Ingest.Server.Tests.Observability;

public sealed class HealthOfLogTests
{
    [Fact]
    public void Failure_counts_until_the_disk_takes_a_group_or_some_time_has_passed()
    {
        var time = new SteppedTime();
        var log = new LogMetrics();
        var health = new HealthOfLog(log, time);
        Assert.Null(health.Fault());

        log.OnFailed();
        log.OnFailing(true);
        Assert.NotNull(health.Fault());
        log.OnFailing(false);
        Assert.Null(health.Fault());

        log.OnFailed();
        log.OnFailing(true);
        Assert.NotNull(health.Fault());
        time.Now += HealthOfLog.Memory - TimeSpan.FromSeconds(1);
        Assert.NotNull(health.Fault());
        time.Now += TimeSpan.FromSeconds(1);
        Assert.Null(health.Fault());
        log.OnFailed();
        Assert.NotNull(health.Fault());
    }

    private sealed class SteppedTime : TimeProvider
    {
        public TimeSpan Now { get; set; } = TimeSpan.FromDays(1);

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }
}
