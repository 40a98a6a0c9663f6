using System.Text.Json.Nodes;

namespace Ingest.Server.Tests.Realtime;

/// <summary>A stream of server-sent events, read line by line as the specification says.</summary>
internal sealed class EventStream : IDisposable
{
    // For what hangs; a machine that is starved takes its time.
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    private readonly HttpResponseMessage _response;
    private readonly StreamReader _reader;

    private EventStream(HttpResponseMessage response, Stream body) =>
        (_response, _reader) = (response, new StreamReader(body));

    public HttpResponseMessage Response => _response;

    /// <summary>The last id, as a browser keeps it.</summary>
    public string LastId { get; private set; } = "";

    /// <summary>What <c>retry:</c> said last.</summary>
    public string Retry { get; private set; } = "";

    /// <summary>Comments so far.</summary>
    public List<string> Comments { get; } = [];

    public static async Task<EventStream> OpenAsync(
        HttpClient client, string address, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        foreach ((string name, string value) in headers)
        {
            request.Headers.Add(name, value);
        }

        HttpResponseMessage response = await client
            .SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WaitAsync(s_limit);
        return new EventStream(response, await response.Content.ReadAsStreamAsync());
    }

    /// <summary>Reads what is no stream.</summary>
    public Task<string> ReadTextAsync() => _reader.ReadToEndAsync().WaitAsync(s_limit);

    /// <summary>Reads an event's data; null at the end of the stream.</summary>
    public async Task<JsonObject?> TryReadAsync()
    {
        string? data = null;
        while (await ReadLineAsync() is { } line)
        {
            if (line.Length == 0)
            {
                if (data is not null)
                {
                    return JsonNode.Parse(data)!.AsObject();
                }

                continue;
            }

            int colon = line.IndexOf(':', StringComparison.Ordinal);
            string value = line[(colon + 1)..].TrimStart();
            switch (line[..colon])
            {
                case "data":
                    Assert.Null(data);
                    data = value;
                    break;
                case "id":
                    LastId = value;
                    break;
                case "retry":
                    Retry = value;
                    break;
                case "":
                    Comments.Add(value);
                    break;
                default:
                    Assert.Fail($"events have no {line}: they would not come to onmessage");
                    break;
            }
        }

        return null;
    }

    private async Task<string?> ReadLineAsync()
    {
        try
        {
            return await _reader.ReadLineAsync().WaitAsync(s_limit);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"no line for {s_limit}, the last id is '{LastId}', comments: {Comments.Count}");
        }
    }

    /// <summary>Reads an event of a type.</summary>
    public async Task<JsonObject> ReadAsync(string type)
    {
        JsonObject? message = await TryReadAsync();
        Assert.True(message is not null, $"the stream ended before {type}");
        Assert.True(
            (string?)message["message_type"] == type, $"{type} was expected, but came {message.ToJsonString()}");
        return message;
    }

    /// <summary>Reads so many alerts and returns their numbers.</summary>
    public async Task<List<int>> ReadAlertsAsync(int count)
    {
        var numbers = new List<int>();
        while (numbers.Count < count)
        {
            numbers.Add(SocketClient.NumberOf(await ReadAsync("realtime_event")));
        }

        return numbers;
    }

    /// <summary>Reads until there is a comment.</summary>
    public async Task ReadCommentAsync()
    {
        Task reading = TryReadAsync();
        await Grpc.Wait.UntilAsync(() => Comments.Count > 0 || reading.IsCompleted, "a comment comes");
        Assert.NotEmpty(Comments);
    }

    public void Dispose() => _response.Dispose();
}
