using System.Buffers.Binary;
using System.Net;
using Google.Protobuf;
using Ingest.V1;

namespace Ingest.EndToEnd.Tests;

/// <summary>A call of Append by .NET's HTTP client, whose requests and responses the test sends and reads one by one.</summary>
internal sealed class AppendCall : IAsyncDisposable
{
    private const string Path = "/ingest.v1.IngestService/Append";
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    private readonly StreamedBody _body = new();
    private HttpResponseMessage? _response;
    private Stream? _stream;

    private AppendCall()
    {
    }

    /// <summary>The answer to open; null when it was refused.</summary>
    public AppendOpened? Opened { get; private set; }

    /// <summary>The last ack that was read.</summary>
    public AppendAck Ack { get; private set; } = new();

    public List<AppendRefusal> Refusals { get; } = [];

    public List<RowError> Errors { get; } = [];

    /// <summary>Bytes that may still be sent.</summary>
    public long Credit { get; private set; }

    public AppendDraining? Draining { get; private set; }

    /// <summary>Starts a call and opens a session.</summary>
    public static Task<AppendCall> OpenAsync(
        string address, string producer, long epoch = 1, string table = "gps_points",
        AckLevel level = AckLevel.Unspecified, ByteString? fingerprint = null) => StartAsync(
        address,
        new AppendRequest
        {
            Open = new AppendOpen
            {
                ProducerId = producer,
                SessionEpoch = epoch,
                Table = table,
                AckLevel = level,
                SchemaFingerprint = fingerprint ?? ByteString.Empty,
            },
        });

    /// <summary>Starts a call with a request and reads the first response.</summary>
    public static async Task<AppendCall> StartAsync(string address, AppendRequest first)
    {
        var call = new AppendCall();
        call.Send(first);
        var request = new HttpRequestMessage(HttpMethod.Post, address + Path)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = call._body,
        };
        request.Headers.TryAddWithoutValidation("te", "trailers");
        try
        {
            call._response = await call._client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead)
                .WaitAsync(s_limit);
            call._stream = await call._response.Content.ReadAsStreamAsync();
            if (await call.ReadAsync() is { Opened: { } opened })
            {
                call.Opened = opened;
                call.Credit = opened.CreditBytes;
            }

            return call;
        }
        catch (OperationCanceledException error)
        {
            // When the connection breaks HttpClient cancels the request's body, and throws what comes of it first.
            await call.DisposeAsync();
            throw new IOException("the connection broke", error);
        }
        catch
        {
            await call.DisposeAsync();
            throw;
        }
    }

    public void Send(AppendRequest request)
    {
        Credit -= request.CalculateSize();
        SendFrame(PointFrames.Frame(request));
    }

    public void SendFrame(byte[] frame) => _body.Write(frame);

    /// <summary>Sends valid points whose order ids are their offsets.</summary>
    public void SendPoints(long offset, int count, string driver = "driver") =>
        Send(Points(offset, Enumerable.Range((int)offset, count).Select(number => PointFrames.Point(number, driver))));

    public static AppendRequest Points(long offset, IEnumerable<GpsPoint> points) =>
        new() { Rows = new AppendRows { Offset = offset, GpsPoints = new GpsPointRows { Points = { points } } } };

    /// <summary>Half-closes the call.</summary>
    public void Complete() => _body.Complete();

    /// <summary>The next response, which is noted; null when there is none any more.</summary>
    public async Task<AppendResponse?> ReadAsync()
    {
        var header = new byte[5];
        int read = await _stream!.ReadAtLeastAsync(header, header.Length, throwOnEndOfStream: false).AsTask().WaitAsync(s_limit);
        if (read == 0)
        {
            return null;
        }

        var message = new byte[BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(1))];
        await _stream!.ReadExactlyAsync(message).AsTask().WaitAsync(s_limit);
        AppendResponse response = AppendResponse.Parser.ParseFrom(message);
        Note(response);
        return response;
    }

    /// <summary>Reads until something came.</summary>
    public async Task UntilAsync(Func<AppendCall, bool> condition)
    {
        while (!condition(this))
        {
            Assert.True(await ReadAsync() is not null, $"the call ended: {string.Join(", ", Status())}");
        }
    }

    public Task DurableAsync(long offset) => UntilAsync(call => call.Ack.DurableOffset >= offset);

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
        .GroupBy(header => header.Key).ToDictionary(header => header.Key, header => string.Join(",", header.First().Value));

    /// <summary>Leaves without a word.</summary>
    public ValueTask DisposeAsync()
    {
        _body.Abandon();
        _response?.Dispose();
        _client.Dispose();
        return ValueTask.CompletedTask;
    }

    private void Note(AppendResponse response)
    {
        switch (response.ResponseCase)
        {
            case AppendResponse.ResponseOneofCase.Ack:
                Ack = response.Ack;
                Errors.AddRange(response.Ack.Errors);
                break;
            case AppendResponse.ResponseOneofCase.Refusal:
                Refusals.Add(response.Refusal);
                break;
            case AppendResponse.ResponseOneofCase.Credit:
                Credit += response.Credit.Bytes;
                break;
            case AppendResponse.ResponseOneofCase.Draining:
                Draining = response.Draining;
                break;
        }
    }
}
