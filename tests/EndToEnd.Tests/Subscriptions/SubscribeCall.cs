using System.Buffers.Binary;
using System.Net;
using Google.Protobuf;
using Ingest.V1;

namespace Ingest.EndToEnd.Tests.Subscriptions;

/// <summary>
/// A call of Subscribe by .NET's HTTP client, whose requests and responses the test sends and reads one by one.
/// </summary>
internal sealed class SubscribeCall : IAsyncDisposable
{
    private const string Path = "/ingest.v1.SubscriptionService/Subscribe";
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    private readonly HttpMessageInvoker _client = new(new SocketsHttpHandler { UseProxy = false });
    private readonly StreamedBody _body = new();
    private HttpResponseMessage? _response;
    private Stream? _stream;

    private SubscribeCall()
    {
    }

    /// <summary>The answer to start; null when it was refused.</summary>
    public SubscribeStarted? Started { get; private set; }

    /// <summary>Starts a subscription of the test's topic and reads the first response.</summary>
    public static Task<SubscribeCall> StartAsync(string address, Action<SubscribeStart>? with = null)
    {
        var start = new SubscribeStart { Topics = { SubscriptionHost.Topic } };
        with?.Invoke(start);
        return StartAsync(address, new SubscribeRequest { Start = start });
    }

    /// <summary>Starts a call with a request and reads the first response.</summary>
    public static async Task<SubscribeCall> StartAsync(string address, SubscribeRequest first, params byte[][] more)
    {
        var call = new SubscribeCall();
        call.Send(first);
        Array.ForEach(more, call._body.Write);
        using var request = new HttpRequestMessage(HttpMethod.Post, address + Path)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = call._body,
        };
        request.Headers.TryAddWithoutValidation("te", "trailers");
        call._response = await call._client.SendAsync(request, CancellationToken.None).WaitAsync(s_limit);
        call._stream = await call._response.Content.ReadAsStreamAsync();
        call.Started = (await call.ReadAsync())?.Started;
        return call;
    }

    public void Send(SubscribeRequest request) => _body.Write(PointFrames.Frame(request));

    public void Send(byte[] frame) => _body.Write(frame);

    /// <summary>Half-closes the call.</summary>
    public void Complete() => _body.Complete();

    /// <summary>The next response; null when there is none any more.</summary>
    public async Task<SubscribeResponse?> ReadAsync()
    {
        var header = new byte[5];
        int read = await _stream!.ReadAtLeastAsync(header, header.Length, throwOnEndOfStream: false)
            .AsTask().WaitAsync(s_limit);
        if (read == 0)
        {
            return null;
        }

        var message = new byte[BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(1))];
        await _stream!.ReadExactlyAsync(message).AsTask().WaitAsync(s_limit);
        return SubscribeResponse.Parser.ParseFrom(message);
    }

    /// <summary>
    /// The next responses, which have to be updates; heartbeats may come between them on a slow machine.
    /// </summary>
    public async Task<List<Update>> ReadUpdatesAsync(int count)
    {
        var updates = new List<Update>();
        while (updates.Count < count)
        {
            SubscribeResponse response = await ReadAsync()
                ?? throw new EndOfStreamException($"the call ended: {string.Join(", ", Status())}");
            if (response.Heartbeat is null)
            {
                updates.Add(response.Update ?? throw new InvalidDataException($"{response} came"));
            }
        }

        return updates;
    }

    /// <summary>Reads to the end and gives the status.</summary>
    public async Task<(int Status, string Message)> EndAsync()
    {
        while (await ReadAsync() is not null)
        {
        }

        IReadOnlyDictionary<string, string> status = Status();
        return (
            int.Parse(status["grpc-status"], System.Globalization.CultureInfo.InvariantCulture),
            Uri.UnescapeDataString(status.GetValueOrDefault("grpc-message", "")));
    }

    /// <summary>Trailers, or headers where there are no others.</summary>
    public IReadOnlyDictionary<string, string> Status() => _response!.TrailingHeaders.Concat(_response.Headers)
        .GroupBy(
            header => header.Key).ToDictionary(header => header.Key, header => string.Join(",", header.First().Value));

    /// <summary>The rich status.</summary>
    public Google.Rpc.Status Details() => Google.Rpc.Status.Parser.ParseFrom(
        Ingest.Protocol.Metadata.TryDecodeBinary(Status()["grpc-status-details-bin"], out byte[]? bytes) ? bytes : []);

    /// <summary>Leaves without a word.</summary>
    public ValueTask DisposeAsync()
    {
        _body.Abandon();
        _response?.Dispose();
        _client.Dispose();
        return ValueTask.CompletedTask;
    }
}
