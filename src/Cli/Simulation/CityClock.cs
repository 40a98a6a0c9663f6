namespace Ingest.Cli.Simulation;

/// <summary>What the hour does to a city: how much is ordered, how full the streets are, who looks at ads.</summary>
internal static class CityClock
{
    /// <summary>The city's time: UTC+1, the year round.</summary>
    public static readonly TimeSpan UtcOffset = TimeSpan.FromHours(1);

    // By hour of the city's day; between hours it goes in a straight line. Shapes, not measurements.
    private static readonly double[] OrdersByHour =
        [.25, .15, .12, .1, .1, .12, .15, .2, .3, .35, .4, .6, .9, 1, .85, .55, .45, .5, .65, .9, 1, .95, .7, .4];

    private static readonly double[] TrafficByHour =
        [.1, .05, .05, .05, .05, .15, .35, .65, .85, .7, .55, .5, .55, .6, .6, .6, .65, .8, .95, .85, .6, .4, .25, .15];

    private static readonly double[] AdsByHour =
        [.4, .25, .2, .2, .2, .25, .4, .6, .7, .7, .7, .75, .85, .8, .75, .7, .7, .75, .85, .95, 1, 1, .9, .6];

    /// <summary>Orders relative to the busiest hour, 0 to 1.</summary>
    public static double Orders(DateTime utc) => At(OrdersByHour, utc);

    /// <summary>How full the streets are, 0 to 1.</summary>
    public static double Traffic(DateTime utc) => At(TrafficByHour, utc);

    /// <summary>Ad impressions relative to the busiest hour, 0 to 1.</summary>
    public static double Ads(DateTime utc) => At(AdsByHour, utc);

    private static double At(double[] byHour, DateTime utc)
    {
        var hours = (utc + UtcOffset).TimeOfDay.TotalHours;
        var hour = (int)hours;
        return byHour[hour] + ((byHour[(hour + 1) % 24] - byHour[hour]) * (hours - hour));
    }
}
