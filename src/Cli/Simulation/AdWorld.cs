using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Ingest.V1;

namespace Ingest.Cli.Simulation;

/// <summary>
/// Ad campaigns: impressions by a Poisson process that follows the hour, clicks some seconds later with a rate that
/// wears off per creative, conversions some minutes after a click, and a metric sample per campaign and minute.
/// </summary>
internal sealed class AdWorld
{
    private const double ImpressionsPerDriverSecond = 0.05;
    private const double ConversionRate = 0.08;
    private const int CampaignCount = 12;
    private const int CreativesPerCampaign = 3;
    private static readonly TimeSpan SampleInterval = TimeSpan.FromMinutes(1);
    private static readonly string[] Channels = ["search", "social", "display", "video"];

    private readonly SimulationOptions _options;
    private readonly SimulationRandom _random;
    private readonly string _run;
    private readonly AdCampaign[] _campaigns = new AdCampaign[CampaignCount];
    private readonly double _shares;
    private readonly PriorityQueue<(AdCampaign Campaign, Event Event), DateTime> _later = new();
    private DateTime _nextSample;
    private int _eventCount;

    public AdWorld(SimulationOptions options, string run, SimulationRandom random)
    {
        _options = options;
        _random = random;
        _run = run;
        _nextSample = options.Start + SampleInterval;
        for (var i = 0; i < CampaignCount; i++)
        {
            var id = string.Create(CultureInfo.InvariantCulture, $"campaign-{i + 1:D2}");
            var creatives = new AdCreative[CreativesPerCampaign];
            for (var j = 0; j < CreativesPerCampaign; j++)
            {
                creatives[j] = new AdCreative(
                    string.Create(CultureInfo.InvariantCulture, $"{id}-creative-{j + 1}"),
                    random.Between(0.02, 0.08), options.Drivers * random.Between(0.5, 4));
            }
            _campaigns[i] = new AdCampaign(
                id, Channels[i % Channels.Length], random.Between(0.002, 0.02), random.Between(0.3, 1), creatives);
            _shares += _campaigns[i].Share;
        }
    }

    /// <summary>Adds the rows of a step that ends at the tick's time.</summary>
    public void Step(TimeSpan step, SimulationTick tick)
    {
        var count = _random.Poisson(
            _options.Drivers * ImpressionsPerDriverSecond * step.TotalSeconds * CityClock.Ads(tick.Time));
        for (var i = 0; i < count; i++)
        {
            // In the order of their times, evenly spread.
            Show(PickCampaign(), tick.Time - step + (step * ((i + 1.0) / (count + 1))), tick);
        }
        while (_later.TryPeek(out var next, out var due) && due <= tick.Time)
        {
            _later.Dequeue();
            Happen(next.Campaign, next.Event, due, tick);
        }
        if (tick.Time >= _nextSample)
        {
            Sample(tick);
            _nextSample += SampleInterval;
        }
    }

    private AdCampaign PickCampaign()
    {
        var pick = _random.Between(0, _shares);
        foreach (var campaign in _campaigns)
        {
            pick -= campaign.Share;
            if (pick < 0)
            {
                return campaign;
            }
        }
        return _campaigns[^1];
    }

    private void Show(AdCampaign campaign, DateTime time, SimulationTick tick)
    {
        var creative = campaign.Creatives[_random.Below(campaign.Creatives.Length)];
        var rate = creative.ClickRate;
        creative.Shown++;
        campaign.Impressions++;
        var user = string.Create(CultureInfo.InvariantCulture, $"user-{_random.Below(_options.Drivers * 100)}");
        var shown = CreateEvent("ad_impression", campaign, creative, user, time);
        shown.Properties.Fields["position"] = Value.ForNumber(1 + _random.Below(3));
        shown.Properties.Fields["cost_usd"] = Value.ForNumber(Math.Round(campaign.CostUsd, 5));
        tick.Events.Add(shown);
        if (_random.Chance(rate))
        {
            var clickedAt = time + TimeSpan.FromSeconds(_random.Between(1, 20));
            var click = CreateEvent("ad_click", campaign, creative, user, clickedAt);
            click.Properties.Fields["impression_id"] = Value.ForString(shown.EventId);
            _later.Enqueue((campaign, click), clickedAt);
            if (_random.Chance(ConversionRate))
            {
                var convertedAt = clickedAt + TimeSpan.FromMinutes(_random.Between(0.5, 12));
                var conversion = CreateEvent("ad_conversion", campaign, creative, user, convertedAt);
                conversion.Properties.Fields["click_id"] = Value.ForString(click.EventId);
                conversion.Properties.Fields["revenue_usd"] = Value.ForNumber(Math.Round(_random.Between(8, 45), 2));
                _later.Enqueue((campaign, conversion), convertedAt);
            }
        }
    }

    private static void Happen(AdCampaign campaign, Event happening, DateTime time, SimulationTick tick)
    {
        if (happening.EventType == "ad_click")
        {
            campaign.Clicks++;
        }
        else
        {
            campaign.Conversions++;
            campaign.RevenueUsd += happening.Properties.Fields["revenue_usd"].NumberValue;
        }
        happening.Timestamp = Timestamp.FromDateTime(time);
        tick.Events.Add(happening);
    }

    private void Sample(SimulationTick tick)
    {
        foreach (var campaign in _campaigns)
        {
            tick.Metrics.Add(new MetricSample
            {
                CampaignId = campaign.Id,
                Timestamp = Timestamp.FromDateTime(tick.Time),
                Metrics =
                {
                    ["spend_usd"] = Math.Round(campaign.Impressions * campaign.CostUsd, 4),
                    ["impressions"] = campaign.Impressions,
                    ["clicks"] = campaign.Clicks,
                    ["conversions"] = campaign.Conversions,
                    ["revenue_usd"] = Math.Round(campaign.RevenueUsd, 2),
                },
                Labels = { ["channel"] = campaign.Channel },
            });
            campaign.Impressions = 0;
            campaign.Clicks = 0;
            campaign.Conversions = 0;
            campaign.RevenueUsd = 0;
        }
    }

    private Event CreateEvent(string type, AdCampaign campaign, AdCreative creative, string user, DateTime time) => new()
    {
        EventId = string.Create(CultureInfo.InvariantCulture, $"{_run}-{++_eventCount:D8}"),
        EventType = type,
        EntityType = "campaign",
        EntityId = campaign.Id,
        Timestamp = Timestamp.FromDateTime(time),
        Properties = new Struct
        {
            Fields =
            {
                ["creative_id"] = Value.ForString(creative.Id),
                ["channel"] = Value.ForString(campaign.Channel),
                ["user_id"] = Value.ForString(user),
            },
        },
    };
}
