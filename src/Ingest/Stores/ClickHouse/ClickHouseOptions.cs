namespace Ingest.Stores.ClickHouse;

/// <summary>Settings of <see cref="ClickHouseStore"/>, section <c>Ingest:Store:ClickHouse</c>.</summary>
public sealed record ClickHouseOptions
{
    /// <summary>
    /// One entry a shard: the URLs of its replicas' HTTP interfaces, separated by commas
    /// (<c>http://a1:8123,http://a2:8123</c>); default none. A segment's shard follows from its id and the order here.
    /// </summary>
    public IReadOnlyList<string> Shards { get; init; } = [];

    /// <summary>Name of the user; default <c>default</c>.</summary>
    public string User { get; init; } = "default";

    /// <summary>The user's password; default none.</summary>
    public string Password { get; init; } = "";

    /// <summary>Database of the tables, which exists already; default <c>default</c>.</summary>
    public string Database { get; init; } = "default";

    /// <summary>
    /// Name of the cluster as <c>remote_servers</c> of the servers has it; default none. With a name, tables are made ON
    /// CLUSTER: replicated <c>NAME_local</c> on each shard, and a Distributed table NAME for reading.
    /// </summary>
    public string Cluster { get; init; } = "";

    /// <summary>
    /// Path of a replicated table in Keeper; default <c>/clickhouse/tables/{shard}/{database}/{table}</c>, macros of the
    /// servers. It names the table and not its UUID, so that a replica added later joins its shard.
    /// </summary>
    public string ReplicaPath { get; init; } = "/clickhouse/tables/{shard}/{database}/{table}";

    /// <summary>
    /// Replicas that have an insert before it counts as stored: a number, <c>auto</c> for most of them, or <c>0</c>
    /// (default) for the one it was sent to, which copies it to the others afterwards. Only with a cluster.
    /// </summary>
    public string InsertQuorum { get; init; } = "0";

    /// <summary>File with PEM certificates of the authorities that sign the servers'; default the machine's own.</summary>
    public string CertificateAuthorityFile { get; init; } = "";

    /// <summary>Compression of inserts, <c>none</c> (default) or <c>gzip</c>.</summary>
    public string Compression { get; init; } = BodyCompression.None;

    /// <summary>
    /// Whether a segment that was never sent anywhere goes to another shard while its own is out of reach; default true.
    /// </summary>
    public bool Reroute { get; init; } = true;

    /// <summary>Longest that connecting to a server, or its answer to a ping, takes; default 3 s.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Longest that a definition, a count or a question about a server's settings takes; default 60 s.</summary>
    public TimeSpan StatementTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Longest that one insert takes; default 180 s.</summary>
    public TimeSpan InsertTimeout { get; init; } = TimeSpan.FromSeconds(180);

    /// <summary>
    /// How long a server is left alone of whose calls, in 30 s, two at least and one in ten failed; doubled each time,
    /// with jitter; default 1 s.
    /// </summary>
    public TimeSpan BreakDuration { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest that a server is left alone; default 30 s.</summary>
    public TimeSpan MaxBreakDuration { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Everything that is wrong with the settings, a sentence each that begins with the key.</summary>
    public IEnumerable<string> Validate()
    {
        if (Shards.Count == 0)
        {
            yield return "Shards is empty; Shards:0 = http://host:8123 names the first.";
        }

        for (int i = 0; i < Shards.Count; i++)
        {
            string[] bad = [.. Split(Shards[i]).Where(url => !IsServerUrl(url))];
            if (Split(Shards[i]).Length == 0 || bad.Length > 0)
            {
                yield return $"Shards:{i} is '{Shards[i]}'; URLs such as http://host:8123, separated by commas, are "
                    + "expected.";
            }
            else if (Cluster.Length == 0 && Split(Shards[i]).Length > 1)
            {
                yield return $"Shards:{i} has several replicas, which need Ingest:Store:ClickHouse:Cluster to be one.";
            }
        }

        if (Shards.SelectMany(Split).GroupBy(url => url, StringComparer.OrdinalIgnoreCase).FirstOrDefault(
            g => g.Count() > 1) is { } twice)
        {
            yield return $"Shards names {twice.Key} more than once.";
        }

        if (User.Length == 0 || User.Contains(':', StringComparison.Ordinal))
        {
            yield return $"User is '{User}'; a name without a colon is expected.";
        }

        if (Database.Length == 0)
        {
            yield return "Database is empty.";
        }

        if (InsertQuorum != "auto" && !(int.TryParse(InsertQuorum, out int quorum) && quorum >= 0))
        {
            yield return $"InsertQuorum is '{InsertQuorum}'; a number of replicas or auto is expected.";
        }

        if (CertificateAuthorityFile.Length > 0 && !File.Exists(CertificateAuthorityFile))
        {
            yield return $"CertificateAuthorityFile is '{CertificateAuthorityFile}', where there is no file.";
        }

        if (BodyCompression.Fault(Compression) is { } fault)
        {
            yield return $"Compression {fault}";
        }

        (string Key, TimeSpan Time)[] times =
        [
            (nameof(ConnectTimeout), ConnectTimeout), (nameof(StatementTimeout), StatementTimeout),
            (nameof(InsertTimeout), InsertTimeout), (nameof(BreakDuration), BreakDuration),
            (nameof(MaxBreakDuration), MaxBreakDuration),
        ];
        foreach ((string key, TimeSpan time) in times)
        {
            if (time < TimeSpan.FromMilliseconds(1) || time > TimeSpan.FromDays(1))
            {
                yield return $"{key} is {time}; a time up to a day is expected.";
            }
        }
    }

    /// <summary>The replicas of each shard.</summary>
    internal IEnumerable<IReadOnlyList<Uri>> Replicas() =>
        Shards.Select(shard => (IReadOnlyList<Uri>)[.. Split(shard).Select(url => new Uri(url))]);

    private static string[] Split(string shard) =>
        shard.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    // No user in the URL: it would stand in logs. No query: it is ours.
    private static bool IsServerUrl(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out Uri? url) && (url.Scheme is "http" or "https")
        && url.UserInfo.Length == 0 && url.Query.Length == 0 && url.Fragment.Length == 0;
}
