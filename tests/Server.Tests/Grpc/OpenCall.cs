using Google.Protobuf;
using Ingest.Protocol;

namespace Ingest.Server.Tests.Grpc;

/// <summary>A call whose responses are read one by one while it runs.</summary>
internal sealed class OpenCall : IAsyncDisposable
{
    private readonly HttpResponseMessage _http;
    private readonly Stream _body;

    private OpenCall(HttpResponseMessage http, Stream body)
    {
        _http = http;
        _body = body;
    }

    /// <summary>Bytes of the responses as they come.</summary>
    public Stream Body => _body;

    public static async Task<OpenCall> StartAsync(HttpClient client, string path, HttpContent body,
        params (string Name, string Value)[] headers)
    {
        using var request = RawCall.Request(path, body, headers);
        var http = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WaitAsync(Wait.Limit);
        return new OpenCall(http, await http.Content.ReadAsStreamAsync());
    }

    /// <summary>The next response.</summary>
    public async Task<T> ReadAsync<T>(MessageParser<T> parser)
        where T : IMessage<T>
    {
        var header = new byte[MessageFrame.HeaderBytes];
        await _body.ReadExactlyAsync(header).AsTask().WaitAsync(Wait.Limit);
        MessageFrame.ReadHeader(header, out var length);
        var message = new byte[length];
        await _body.ReadExactlyAsync(message).AsTask().WaitAsync(Wait.Limit);
        return parser.ParseFrom(message);
    }

    /// <summary>The status, once the responses have ended.</summary>
    public async Task<(StatusCode Status, string Message)> EndAsync()
    {
        await _body.CopyToAsync(Stream.Null).WaitAsync(Wait.Limit);
        var call = new RawCall(_http, []);
        return (call.Status, call.Message);
    }

    public ValueTask DisposeAsync()
    {
        _http.Dispose();
        return _body.DisposeAsync();
    }
}
