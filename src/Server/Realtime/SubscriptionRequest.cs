using System.Text.Json;
using Ingest.Topics;
using Ingest.V1;

namespace Ingest.Server.Realtime;

/// <summary>
/// What a client wants to follow: the payload of a subscribe message, or the parameters of an address.
/// </summary>
internal sealed record SubscriptionRequest
{
    /// <summary>Longest id.</summary>
    public const int MaxIdLength = 128;

    /// <summary>Its name on the connection; empty: the server chooses.</summary>
    public string Id { get; private init; } = "";

    /// <summary>What is asked of the topics.</summary>
    public required SubscriptionOptions Options { get; init; }

    /// <summary>Fields that nobody knows.</summary>
    public IReadOnlyList<string> Ignored { get; private init; } = [];

    /// <summary>Reads the payload of a subscribe message.</summary>
    /// <returns>The request, or what is wrong with which field.</returns>
    public static (SubscriptionRequest? Request, string Field, string Fault) Read(JsonElement payload)
    {
        if (payload.ValueKind != JsonValueKind.Object)
        {
            return (null, "payload", "The payload has to be an object.");
        }

        var read = new SubscriptionFields();
        var ignored = new List<string>();
        string id = "";
        foreach (JsonProperty field in payload.EnumerateObject())
        {
            string? fault = field.Name switch
            {
                "id" => ReadText(field.Value, out id) ?? (id.Length > MaxIdLength ? "It is too long." : null),
                "topics" or "topic" => ReadTexts(field.Value, out read.Topics),
                "keys" or "key" => ReadTexts(field.Value, out read.Keys),
                "from" => ReadText(field.Value, out string word) ?? read.ReadPlace(word),
                "overflow" => ReadText(field.Value, out string word) ?? read.ReadOverflow(word),
                "resume_token" => ReadText(field.Value, out read.ResumeToken),
                "subscription" => ReadText(field.Value, out read.Name),
                "filter" => field.Value.ValueKind == JsonValueKind.Null
                    ? null
                    : read.ReadFilter(field.Value.GetRawText()),
                _ => Ignore(field.Name),
            };
            if (fault is not null)
            {
                return (null, field.Name, fault);
            }
        }

        return read.Fault is { } wrong
            ? (null, wrong.Field, wrong.Text)
            : (new SubscriptionRequest { Id = id, Options = read.ToOptions(), Ignored = ignored }, "", "");

        string? Ignore(string name)
        {
            ignored.Add(name);
            return null;
        }
    }

    /// <summary>Reads the parameters of an address: lists by comma, or the parameter several times.</summary>
    /// <param name="query">The parameters.</param>
    /// <param name="topics">Topics that the path names; empty for those of the parameter <c>topics</c>.</param>
    /// <param name="lastEventId">
    /// What a browser says that it had; wins over any place in the address. Empty for none.
    /// </param>
    /// <returns>The request, or what is wrong with which parameter.</returns>
    public static (SubscriptionRequest? Request, string Field, string Fault) Read(
        IQueryCollection query, IReadOnlyList<string> topics, string lastEventId)
    {
        string token = lastEventId.Length > 0 ? lastEventId
            : query["last_event_id"].ToString() is { Length: > 0 } id ? id
            : query["resume_token"].ToString();
        var read = new SubscriptionFields
        {
            Topics = topics.Count > 0 ? topics : List(query, "topics"),
            Keys = List(query, "keys"),
            ResumeToken = token,
        };
        string? fault = null;
        string field = "";
        if (token.Length == 0 && query["from"].ToString() is { Length: > 0 } place)
        {
            (field, fault) = ("from", read.ReadPlace(place));
        }

        if (fault is null && query["overflow"].ToString() is { Length: > 0 } overflow)
        {
            (field, fault) = ("overflow", read.ReadOverflow(overflow));
        }

        if (fault is null && query["filter"].ToString() is { Length: > 0 } filter)
        {
            (field, fault) = ("filter", read.ReadFilter(filter));
        }

        return fault is not null ? (null, field, fault)
            : read.Fault is { } wrong ? (null, wrong.Field, wrong.Text)
            : (new SubscriptionRequest { Options = read.ToOptions() }, "", "");
    }

    private static string[] List(IQueryCollection query, string name) =>
    [
        .. query[name].SelectMany(value => (value ?? "").Split(
            ',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)),
    ];

    private static string? ReadText(JsonElement value, out string text)
    {
        text = value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
        return value.ValueKind is JsonValueKind.String or JsonValueKind.Null ? null : "A string is expected.";
    }

    private static string? ReadTexts(JsonElement value, out IReadOnlyList<string> texts)
    {
        texts = [];
        if (value.ValueKind == JsonValueKind.String)
        {
            texts = [value.GetString()!];
            return null;
        }

        if (value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        if (value.ValueKind != JsonValueKind.Array
            || value.EnumerateArray().Any(t => t.ValueKind != JsonValueKind.String))
        {
            return "A string, or a list of strings, is expected.";
        }

        texts = [.. value.EnumerateArray().Select(text => text.GetString()!)];
        return null;
    }

    private sealed class SubscriptionFields
    {
        public IReadOnlyList<string> Topics = [];
        public IReadOnlyList<string> Keys = [];
        public string ResumeToken = "";
        public string Name = "";
        private StartPosition _position;
        private DateTimeOffset? _time;
        private OverflowPolicy _overflow;
        private Filter? _filter;

        public (string Field, string Text)? Fault =>
            Topics.Count == 0 ? ("topics", "No topic is named; > stands for all.")
            : ResumeToken.Length > 0 && (_position != StartPosition.Unspecified || _time is not null)
                ? ("from", "There is a resume_token too; one of them says where to start.")
            : null;

        public string? ReadPlace(string word) => RealtimeWords.ReadPlace(word, out _position, out _time);

        public string? ReadOverflow(string word) => RealtimeWords.ReadPolicy(word, out _overflow);

        public string? ReadFilter(string json) => FilterJson.Read(json, out _filter);

        public SubscriptionOptions ToOptions() => new()
        {
            Topics = Topics,
            Keys = Keys,
            Filter = _filter,
            Position = _position,
            Time = _time,
            Overflow = _overflow,
            ResumeToken = ResumeToken,
            Name = Name,
        };
    }
}
