using Ingest.Agents.Delivery;

namespace Ingest.Agents;

/// <summary>Settings of the agents.</summary>
public sealed record AgentsOptions
{
    /// <summary>Whether agents run; default true.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Assemblies with agents of your own; default none.</summary>
    public IReadOnlyList<string> Assemblies { get; init; } = [];

    /// <summary>
    /// Bytes of blocks that wait for one partition of an agent; default 32 MiB. From half of it on the agent is given
    /// only the latest row of a key; over it the oldest blocks are dropped.
    /// </summary>
    public long QueueBytes { get; init; } = 32L << 20;

    /// <summary>How often an agent's state is saved while it changes; default 1 s.</summary>
    public TimeSpan SaveInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long an agent is left alone after it threw; default 100 ms, doubled each time in a row.</summary>
    public TimeSpan Backoff { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Longest that an agent is left alone; default 30 s.</summary>
    public TimeSpan MaxBackoff { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Longest that an agent's answer to a request is waited for; default 30 s.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Times of arrival.</summary>
    public EtaOptions Eta { get; init; } = new();

    /// <summary>What is wrong with the settings, one sentence each that begins with the setting's name.</summary>
    public IEnumerable<string> Validate()
    {
        if (QueueBytes is < 1 << 20 or > 1L << 40)
        {
            yield return $"{nameof(QueueBytes)} is {QueueBytes}; 1 MiB to 1 TiB is valid.";
        }

        foreach ((string name, TimeSpan time) in new[]
        {
            (nameof(SaveInterval), SaveInterval), (nameof(Backoff), Backoff), (nameof(MaxBackoff), MaxBackoff),
            (nameof(RequestTimeout), RequestTimeout),
        })
        {
            if (time < TimeSpan.FromMilliseconds(1) || time > TimeSpan.FromDays(1))
            {
                yield return $"{name} is {time}; 1 ms to 1 day is valid.";
            }
        }

        if (MaxBackoff < Backoff)
        {
            yield return $"{nameof(MaxBackoff)} is {MaxBackoff}, less than {nameof(Backoff)}, {Backoff}.";
        }

        foreach (string path in Assemblies.Where(path => !File.Exists(path)))
        {
            yield return $"{nameof(Assemblies)} names '{path}', which is no file.";
        }
    }
}
