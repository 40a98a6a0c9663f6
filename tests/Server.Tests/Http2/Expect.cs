namespace Ingest.Server.Tests.Http2;

/// <summary>How a server may react.</summary>
internal static class Expect
{
    /// <summary>The connection ends, with GOAWAY of one of the codes.</summary>
    public static async Task ConnectionErrorAsync(this RawConnection connection, params RawError[] errors)
    {
        while (await connection.ReadAsync())
        {
        }

        Assert.True(connection.GoAway is { } end && errors.Contains(end.Error),
            $"not GOAWAY of {string.Join(" or ", errors)}; {connection.Story()}");
    }

    /// <summary>
    /// The stream ends by RST_STREAM of one of the codes and the connection lives; or the connection ends with it, as an
    /// endpoint may choose (RFC 9113, 5.4.2). What was sent before the reset had come may end the connection too, as
    /// STREAM_CLOSED.
    /// </summary>
    public static async Task StreamErrorAsync(this RawConnection connection, uint stream, params RawError[] errors)
    {
        await connection.UntilAsync(
            () => connection.Response(stream).ResetBy is not null || connection.GoAway is not null, "a stream error");
        if (connection.Response(stream).ResetBy is not { } error)
        {
            await connection.ConnectionErrorAsync(errors);
            return;
        }

        Assert.True(errors.Contains(error),
            $"RST_STREAM {error}, not {string.Join(" or ", errors)}; {connection.Story()}");
        if (connection.GoAway is null)
        {
            await connection.AliveAsync();
        }
        else
        {
            await connection.ConnectionErrorAsync([RawError.StreamClosed, .. errors]);
        }
    }

    /// <summary>A malformed request is a stream error, or is answered with a status that says so (RFC 9113, 8.1.1).</summary>
    public static async Task RefusedAsync(this RawConnection connection, uint stream, params RawError[] errors)
    {
        await connection.UntilAsync(
            () => connection.Response(stream).IsOver || connection.GoAway is not null, "a refusal");
        if (connection.Response(stream)[":status"] is { } status)
        {
            Assert.StartsWith("4", status, StringComparison.Ordinal);
            await connection.AliveAsync();
            return;
        }

        await connection.StreamErrorAsync(stream, [RawError.ProtocolError, .. errors]);
    }

    /// <summary>The connection answers a ping and serves a call.</summary>
    public static async Task AliveAsync(this RawConnection connection)
    {
        Assert.True(await connection.PingAsync(), $"no answer to a ping; {connection.Story()}");
        var stream = connection.NextStream;
        await connection.SendAsync(RawRequest.Whole(stream, RawRequest.Empty));
        await connection.EndedAsync(stream, "0");
        Assert.Null(connection.GoAway);
    }

    /// <summary>The call ends with this gRPC status, by END_STREAM.</summary>
    public static async Task<RawResponse> EndedAsync(this RawConnection connection, uint stream, string grpcStatus)
    {
        var response = connection.Response(stream);
        await connection.UntilAsync(() => response.IsOver, $"the end of stream {stream}");
        Assert.True(response.Ended && response["grpc-status"] == grpcStatus,
            $"stream {stream} ended {response.ResetBy} {string.Join(", ", response.Fields)}; {connection.Story()}");
        return response;
    }
}
