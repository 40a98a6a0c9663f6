using Ingest.Admission;

namespace Ingest.Tests.Admission;

public class PressureGaugeTests
{
    [Fact]
    public void A_state_is_left_later_than_it_is_entered()
    {
        var gauge = new PressureGauge(hardShare: 0.95);
        (long Used, Pressure State)[] way =
        [
            (0, Pressure.Normal), (79, Pressure.Normal), (80, Pressure.Soft), (75, Pressure.Soft), (94, Pressure.Soft),
            (95, Pressure.Hard), (86, Pressure.Hard), (84, Pressure.Soft), (71, Pressure.Soft), (69, Pressure.Normal),
            (79, Pressure.Normal), (1000, Pressure.Hard), (0, Pressure.Normal),
        ];
        foreach ((long used, Pressure state) in way)
        {
            Pressure before = gauge.State;
            Assert.Equal(state != before, gauge.Update(used, 100));
            Assert.Equal(state, gauge.State);
        }
    }

    [Fact]
    public void The_level_grows_between_the_marks()
    {
        var gauge = new PressureGauge(hardShare: 1);
        gauge.Update(79, 100);
        Assert.Equal(0, gauge.Level);
        gauge.Update(80, 100);
        Assert.Equal(0, gauge.Level, 6);
        gauge.Update(90, 100);
        Assert.Equal(0.5, gauge.Level, 6);
        gauge.Update(100, 100);
        Assert.Equal(1, gauge.Level);
        gauge.Update(75, 100);
        Assert.Equal((Pressure.Soft, 0.0), (gauge.State, gauge.Level));
    }

    [Fact]
    public void A_limit_that_shrinks_counts_at_once()
    {
        var gauge = new PressureGauge(hardShare: 1);
        gauge.Update(50, 100);
        Assert.True(gauge.Update(50, 50));
        Assert.Equal(Pressure.Hard, gauge.State);
    }
}
