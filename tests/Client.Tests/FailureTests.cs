using System.Net;
using System.Net.Sockets;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Health.V1;
using Ingest.Protocol;
using Ingest.V1;
using Microsoft.AspNetCore.Http;

namespace Ingest.Client.Tests;

public sealed class FailureTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_status_in_mid_stream_reaches_writer_flush_and_completion_with_all_it_says()
    {
        var retry = new RetryInfo { RetryDelay = Duration.FromTimeSpan(TimeSpan.FromSeconds(3)) };
        var details = new Google.Rpc.Status
        {
            Code = (int)StatusCode.ResourceExhausted,
            Message = "speicher voll: 100 % ü",
            Details = { Any.Pack(retry) },
        };
        await using var server = await FrameServer.StartAsync(async context =>
        {
            await FrameServer.ReadAsync(context);
            FrameServer.Append(context, "ingest-accepted-count", "41");
            FrameServer.End(context, StatusCode.ResourceExhausted, details.Message, details.ToByteArray());
        });
        using var client = new IngestClient(server.Address);
        await using var stream = client.OpenGpsPoints();
        var exception = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (true)
            {
                await stream.WriteAsync(Rows.Point(1));
            }
        });
        Assert.Equal(StatusCode.ResourceExhausted, exception.StatusCode);
        Assert.Equal("speicher voll: 100 % ü", exception.Detail);
        Assert.Equal(41, exception.GetAcceptedCount());
        Assert.Equal(TimeSpan.FromSeconds(3), exception.GetRetryDelay());
        Assert.Equal(retry, exception.FindDetail<RetryInfo>());

        var flush = await Assert.ThrowsAsync<RpcException>(() => stream.FlushAsync());
        var complete = await Assert.ThrowsAsync<RpcException>(() => stream.CompleteAsync());
        Assert.Equal((StatusCode.ResourceExhausted, 41L), (flush.StatusCode, flush.GetAcceptedCount()));
        Assert.Equal((StatusCode.ResourceExhausted, 41L), (complete.StatusCode, complete.GetAcceptedCount()));
    }

    [Fact]
    public async Task A_status_in_trailers_behind_the_headers_is_read()
    {
        await using var server = await FrameServer.StartAsync(async context =>
        {
            await context.Response.StartAsync();
            await FrameServer.ReadAllAsync<StreamGpsPointsRequest>(context);
            FrameServer.End(context, StatusCode.InvalidArgument, "cannot be decoded");
            FrameServer.Append(context, "grpc-retry-pushback-ms", "-1");
        });
        using var client = new IngestClient(server.Address);
        await using var stream = client.OpenGpsPoints();
        await stream.WriteAsync(Rows.Point(1));
        var exception = await Assert.ThrowsAsync<RpcException>(() => stream.CompleteAsync());
        Assert.Equal((StatusCode.InvalidArgument, "cannot be decoded"), (exception.StatusCode, exception.Detail));
        Assert.Null(exception.GetAcceptedCount());
        Assert.Null(exception.GetRetryDelay());
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_unavailable()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        using var client = new IngestClient(new Uri($"http://127.0.0.1:{port}"));
        await using var stream = client.OpenGpsPoints();
        var exception = await Assert.ThrowsAsync<RpcException>(() => stream.CompleteAsync().WaitAsync(Patience));
        Assert.Equal(StatusCode.Unavailable, exception.StatusCode);
        Assert.Contains($"Cannot connect to http://127.0.0.1:{port}", exception.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_connection_that_breaks_is_unavailable()
    {
        await using var server = await FrameServer.StartAsync(async context =>
        {
            await FrameServer.ReadAsync(context);
            context.Features.Get<Microsoft.AspNetCore.Connections.Features.IConnectionLifetimeFeature>()?.Abort();
            context.Abort();
        });
        using var client = new IngestClient(server.Address);
        await using var stream = client.OpenGpsPoints();
        await stream.WriteAsync(Rows.Point(1));
        var exception = await Assert.ThrowsAsync<RpcException>(() => stream.CompleteAsync().WaitAsync(Patience));
        Assert.True(
            exception.StatusCode is StatusCode.Unavailable or StatusCode.Internal or StatusCode.Cancelled,
            exception.ToString());
        Assert.Null(exception.GetAcceptedCount());
    }

    [Fact]
    public async Task A_cancelled_token_ends_the_call_on_both_sides()
    {
        var started = new TaskCompletionSource();
        var aborted = new TaskCompletionSource();
        await using var server = await FrameServer.StartAsync(async context =>
        {
            context.RequestAborted.Register(aborted.SetResult);
            await FrameServer.ReadAsync(context);
            started.SetResult();
            await aborted.Task;
        });
        using var client = new IngestClient(server.Address);
        using var cancellation = new CancellationTokenSource();
        await using var stream = client.OpenGpsPoints(cancellationToken: cancellation.Token);
        await stream.WriteAsync(Rows.Point(1));
        await started.Task.WaitAsync(Patience);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => stream.CompleteAsync().WaitAsync(Patience));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await stream.WriteAsync(Rows.Point(1)));
        await aborted.Task.WaitAsync(Patience);
    }

    [Fact]
    public async Task A_stream_disposed_before_its_completion_is_cancelled_and_not_ended()
    {
        var started = new TaskCompletionSource();
        var ended = new TaskCompletionSource<bool>();
        await using var server = await FrameServer.StartAsync(async context =>
        {
            try
            {
                await FrameServer.ReadAsync(context);
                started.SetResult();
                await FrameServer.ReadAsync(context);
                ended.SetResult(true);
            }
            catch (Exception)
            {
                ended.SetResult(false);
            }
        });
        using var client = new IngestClient(server.Address);
        var stream = client.OpenGpsPoints();
        await stream.WriteAsync(Rows.Point(1));
        await started.Task.WaitAsync(Patience);
        await stream.DisposeAsync();
        Assert.False(await ended.Task.WaitAsync(Patience));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await stream.WriteAsync(Rows.Point(1)));
    }

    [Fact]
    public async Task An_answer_without_status_or_in_html_or_cut_off_is_an_error()
    {
        await using var server = await FrameServer.StartAsync(async context =>
        {
            switch (context.Request.Headers.Authorization.ToString())
            {
                case "Bearer silent":
                    await FrameServer.WriteAsync(context, []);
                    break;
                case "Bearer html":
                    context.Response.ContentType = "text/html";
                    await context.Response.WriteAsync("<html>");
                    break;
                case "Bearer cut":
                    await context.Response.Body.WriteAsync(new byte[] { 0, 0, 0, 0, 9, 1 });
                    FrameServer.End(context, StatusCode.Ok);
                    break;
                case "Bearer forbidden":
                    context.Response.StatusCode = 403;
                    break;
                case "Bearer empty":
                    FrameServer.End(context, StatusCode.Ok);
                    break;
                default:
                    await context.Response.Body.WriteAsync(new byte[] { 0, 255, 255, 255, 255, 1 });
                    break;
            }
        });
        Assert.Equal(StatusCode.Unknown, await CheckAsync("silent"));
        Assert.Equal(StatusCode.Unknown, await CheckAsync("html"));
        Assert.Equal(StatusCode.Internal, await CheckAsync("cut"));
        Assert.Equal(StatusCode.PermissionDenied, await CheckAsync("forbidden"));
        Assert.Equal(StatusCode.Internal, await CheckAsync("empty"));
        Assert.Equal(StatusCode.ResourceExhausted, await CheckAsync("huge"));

        async Task<StatusCode> CheckAsync(string key)
        {
            using var client = new IngestClient(new IngestClientOptions { Address = server.Address, ApiKey = key });
            return (await Assert.ThrowsAsync<RpcException>(() => client.IsServingAsync(Patience))).StatusCode;
        }
    }

    [Fact]
    public async Task Health_is_asked_with_a_deadline_and_a_gzip_answer_is_read()
    {
        var hang = new TaskCompletionSource();
        await using var server = await FrameServer.StartAsync(async context =>
        {
            Assert.Equal("/grpc.health.v1.Health/Check", context.Request.Path);
            Assert.Empty((await FrameServer.ReadAllAsync<HealthCheckRequest>(context)).Single().Service);
            if (context.Request.Headers[GrpcHeaders.Timeout] == GrpcTimeout.Format(TimeSpan.FromMilliseconds(50)))
            {
                await hang.Task;
            }
            context.Response.Headers[GrpcHeaders.Encoding] = "gzip";
            var answer = new HealthCheckResponse { Status = HealthCheckResponse.Types.ServingStatus.Serving };
            await FrameServer.WriteAsync(context, Gzip(answer.ToByteArray()), MessageFrame.CompressedFlag);
            FrameServer.End(context, StatusCode.Ok);
        });
        using var client = new IngestClient(server.Address);
        Assert.True(await client.IsServingAsync(Patience));
        var late = await Assert.ThrowsAsync<RpcException>(
            () => client.IsServingAsync(TimeSpan.FromMilliseconds(50)).WaitAsync(Patience));
        Assert.Equal(StatusCode.DeadlineExceeded, late.StatusCode);
        hang.SetResult();
    }

    [Fact]
    public async Task A_gzip_answer_that_was_cut_is_not_taken_for_whole()
    {
        await using var server = await FrameServer.StartAsync(async context =>
        {
            await FrameServer.ReadAllAsync<HealthCheckRequest>(context);
            context.Response.Headers[GrpcHeaders.Encoding] = "gzip";
            var answer = new HealthCheckResponse { Status = HealthCheckResponse.Types.ServingStatus.Serving };
            await FrameServer.WriteAsync(context, Gzip(answer.ToByteArray())[..^4], MessageFrame.CompressedFlag);
            FrameServer.End(context, StatusCode.Ok);
        });
        using var client = new IngestClient(server.Address);
        var cut = await Assert.ThrowsAsync<RpcException>(() => client.IsServingAsync(Patience));
        Assert.Equal(StatusCode.Internal, cut.StatusCode);
        Assert.Contains("gzip", cut.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_out_of_range_are_named()
    {
        Assert.Contains("Address", Fault(new IngestClientOptions { Address = new Uri("ftp://x") }), StringComparison.Ordinal);
        Assert.Contains("ApiKey", Fault(new IngestClientOptions { ApiKey = "a\nb" }), StringComparison.Ordinal);
        using var client = new IngestClient(new Uri("http://127.0.0.1:1"));
        Assert.Contains(
            "StreamOptions.Linger",
            Assert.Throws<ArgumentException>(
                () => client.OpenEvents(new StreamOptions { Linger = TimeSpan.FromSeconds(-1) })).Message,
            StringComparison.Ordinal);

        static string Fault(IngestClientOptions options) =>
            Assert.Throws<ArgumentException>(() => new IngestClient(options)).Message;
    }

    private static byte[] Gzip(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var gzip = new System.IO.Compression.GZipStream(packed, System.IO.Compression.CompressionMode.Compress))
        {
            gzip.Write(bytes);
        }
        return packed.ToArray();
    }
}
