using System.IO.Pipelines;
using Ingest.Protocol;
using Ingest.Server.Grpc;

namespace Ingest.Server.Tests.Grpc;

public class RequestStreamTests
{
    private const int Limit = 1 << 20;

    private static readonly byte[][] Messages =
    [
        [1, 2, 3], [], Numbers(95), Numbers(4096), [7], Numbers(10_000), [], Numbers(200_000), [9],
    ];

    [Fact]
    public async Task Frames_split_at_every_byte_boundary_come_out_whole()
    {
        byte[][] messages = [[1, 2, 3], [], Numbers(20), [4]];
        var bytes = Frames.Join([.. messages.Select(message => Frames.Of(message))]);
        for (var first = 0; first <= bytes.Length; first++)
        {
            for (var second = first; second <= bytes.Length; second += 3)
            {
                var pipe = new Pipe();
                var reading = ReadAllAsync(Stream(pipe));
                foreach (var part in new[] { bytes[..first], bytes[first..second], bytes[second..] })
                {
                    await pipe.Writer.WriteAsync(part);
                }

                await pipe.Writer.CompleteAsync();
                Assert.Equal(messages, await reading);
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(7)]
    [InlineData(4096)]
    [InlineData(100_000)]
    public async Task Frames_in_pieces_of_any_size_come_out_whole(int pieceBytes)
    {
        var bytes = Frames.Join([.. Messages.Select(message => Frames.Of(message))]);
        var pipe = new Pipe(new PipeOptions(minimumSegmentSize: 64));
        var reading = ReadAllAsync(Stream(pipe));
        for (var at = 0; at < bytes.Length; at += pieceBytes)
        {
            await pipe.Writer.WriteAsync(bytes.AsMemory(at, Math.Min(pieceBytes, bytes.Length - at)));
        }

        await pipe.Writer.CompleteAsync();
        Assert.Equal(Messages, await reading);
    }

    [Fact]
    public async Task Gzip_frames_stand_between_plain_ones_however_they_are_split()
    {
        byte[][] messages = [[1], Numbers(3000), Numbers(50_000), [2]];
        var bytes = Frames.Join(Frames.Of(messages[0]), Frames.Of(Frames.Gzip(messages[1]), 1),
            Frames.Of(Frames.Gzip(messages[2]), 1), Frames.Of(messages[3]));
        for (var split = 0; split <= bytes.Length; split += 13)
        {
            var pipe = new Pipe(new PipeOptions(minimumSegmentSize: 128));
            var reading = ReadAllAsync(Stream(pipe, gzip: true));
            await pipe.Writer.WriteAsync(bytes.AsMemory(0, split));
            await pipe.Writer.WriteAsync(bytes.AsMemory(split));
            await pipe.Writer.CompleteAsync();
            Assert.Equal(messages, await reading);
        }
    }

    [Fact]
    public async Task A_large_message_needs_no_pipe_of_its_size()
    {
        var message = Numbers(Limit);
        var bytes = Frames.Of(message);
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 65_536, resumeWriterThreshold: 32_768));
        var reading = ReadAllAsync(Stream(pipe));

        await pipe.Writer.WriteAsync(bytes).AsTask().WaitAsync(TimeSpan.FromSeconds(30));
        await pipe.Writer.CompleteAsync();

        Assert.Equal([message], await reading);
    }

    [Fact]
    public async Task A_header_alone_reserves_little_however_much_it_promises()
    {
        var pipe = new Pipe();
        var stream = new RequestStream(
            pipe.Reader, int.MaxValue, gzip: false, new MethodMetrics("m"), CancellationToken.None);
        await pipe.Writer.WriteAsync(Frames.Header(0, 1 << 30));
        var before = GC.GetAllocatedBytesForCurrentThread();

        var waiting = stream.WaitToReadAsync().AsTask();

        Assert.False(waiting.IsCompleted);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1 << 20);
        await pipe.Writer.CompleteAsync();
        Assert.Equal(StatusCode.Internal, (await Assert.ThrowsAsync<RpcException>(() => waiting)).StatusCode);
    }

    [Fact]
    public async Task Half_a_frame_waits_and_does_not_spin()
    {
        var pipe = new Pipe();
        var stream = Stream(pipe);
        await pipe.Writer.WriteAsync(new byte[] { 0, 0 });
        Task<bool>? waiting = null;

        // Were the half frame not marked as examined, reads would complete for ever and this would not return.
        await Task.Run(() => { waiting = stream.WaitToReadAsync().AsTask(); }).WaitAsync(Wait.Limit);
        foreach (var part in new byte[][] { [0, 0], [4, 1], [2, 3] })
        {
            Assert.False(waiting!.IsCompleted);
            await pipe.Writer.WriteAsync(part);
        }

        await pipe.Writer.WriteAsync(new byte[] { 4 });
        Assert.True(await waiting!);
        Assert.True(stream.TryRead(out var message));
        Assert.Equal([1, 2, 3, 4], message.ToArray());
    }

    [Fact]
    public async Task Asking_twice_loses_nothing()
    {
        var pipe = new Pipe();
        var stream = Stream(pipe);
        await pipe.Writer.WriteAsync(Frames.Join(Frames.Of([1]), Frames.Of([2])));
        await pipe.Writer.CompleteAsync();

        Assert.True(await stream.WaitToReadAsync());
        Assert.True(await stream.WaitToReadAsync());
        Assert.True(stream.TryRead(out var first));
        Assert.Equal(1, first[0]);
        Assert.True(await stream.WaitToReadAsync());
        Assert.True(stream.TryRead(out var second));
        Assert.Equal(2, second[0]);
        Assert.False(stream.TryRead(out _));
        Assert.False(await stream.WaitToReadAsync());
        Assert.False(await stream.WaitToReadAsync());
    }

    [Theory]
    [InlineData("00000000", "within a message frame")]
    [InlineData("0000000003AABB", "within a message frame")]
    [InlineData("0200000000", "flags 0x02")]
    [InlineData("8000000000", "flags 0x80")]
    [InlineData("0100000001AA", "no grpc-encoding")]
    public async Task A_broken_frame_ends_the_call_INTERNAL(string hex, string text)
    {
        var error = await ReadBadAsync(Convert.FromHexString(hex), gzip: false);

        Assert.Equal(StatusCode.Internal, error.StatusCode);
        Assert.Contains(text, error.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Limit + 1u)]
    [InlineData(0x8000_0000u)]
    [InlineData(uint.MaxValue)]
    public async Task A_length_over_the_limit_is_refused_with_both_numbers(uint length)
    {
        var error = await ReadBadAsync(Frames.Header(0, length), gzip: false);

        Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
        Assert.Contains(length.ToString(), error.Detail, StringComparison.Ordinal);
        Assert.Contains(Limit.ToString(), error.Detail, StringComparison.Ordinal);
        Assert.Equal("-1", error.Trailers.GetValue(GrpcHeaders.RetryPushback));
    }

    [Fact]
    public async Task A_message_of_the_limit_passes_plain_and_compressed()
    {
        var message = new byte[Limit];
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        await pipe.Writer.WriteAsync(Frames.Join(Frames.Of(message), Frames.Of(Frames.Gzip(message), 1)));
        await pipe.Writer.CompleteAsync();

        Assert.Equal([message, message], await ReadAllAsync(Stream(pipe, gzip: true)));
    }

    [Fact]
    public async Task A_gzip_bomb_costs_no_more_than_the_limit()
    {
        var bomb = Frames.Of(Frames.Gzip(new byte[256 * Limit]), 1);
        var before = GC.GetAllocatedBytesForCurrentThread();

        var error = await ReadBadAsync(bomb, gzip: true);

        Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
        Assert.Contains(Limit.ToString(), error.Detail, StringComparison.Ordinal);
        var cost = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(cost < 8 * Limit, $"{cost} bytes were allocated");
    }

    [Theory]
    [InlineData("")]
    [InlineData("AABBCC")]
    [InlineData("1F8B")]
    public async Task What_is_not_gzip_is_refused(string hex)
    {
        var error = await ReadBadAsync(Frames.Of(Convert.FromHexString(hex), 1), gzip: true);

        Assert.Equal(StatusCode.Internal, error.StatusCode);
    }

    [Fact]
    public async Task A_gzip_stream_that_was_cut_is_refused()
    {
        var gzip = Frames.Gzip(Numbers(100_000));
        foreach (var cut in new[] { 1, 4, 9, gzip.Length / 2 })
        {
            var error = await ReadBadAsync(Frames.Of(gzip[..^cut], 1), gzip: true);

            Assert.Equal(StatusCode.Internal, error.StatusCode);
        }
    }

    [Fact]
    public async Task A_client_that_resets_is_a_cancelled_call_and_not_an_end()
    {
        var pipe = new Pipe();
        var stream = Stream(pipe);
        await pipe.Writer.WriteAsync(Frames.Of([1]));
        var reading = ReadAllAsync(stream);
        await pipe.Writer.CompleteAsync(new IOException("reset"));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
    }

    [Fact]
    public async Task A_client_that_left_between_two_reads_is_a_cancelled_call()
    {
        var stream = new RequestStream(new GoneReader(), Limit, false, new MethodMetrics("m"), CancellationToken.None);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await stream.WaitToReadAsync());
    }

    [Theory]
    [InlineData(4096)]
    [InlineData(65_536)]
    public async Task No_byte_is_allocated_a_message(int segmentBytes)
    {
        const int count = 100_000;
        var pipe = new Pipe(new PipeOptions(minimumSegmentSize: segmentBytes, pauseWriterThreshold: 0));
        var frames = Frames.Join([.. Enumerable.Repeat(Frames.Of(Numbers(95)), count)]);
        var stream = Stream(pipe);

        // The first rounds fill the pools, the pipe's own among them.
        for (var round = 0; round < 5; round++)
        {
            await pipe.Writer.WriteAsync(frames);
            var before = GC.GetAllocatedBytesForCurrentThread();
            var read = 0;
            Assert.True(await stream.WaitToReadAsync());
            while (stream.TryRead(out var message))
            {
                read += message.Length;
            }

            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.Equal(count * 95, read);
            Assert.True(round < 3 || allocated == 0, $"{allocated} bytes in round {round}");
        }
    }

    private static async Task<RpcException> ReadBadAsync(byte[] bytes, bool gzip)
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        await pipe.Writer.WriteAsync(bytes);
        await pipe.Writer.CompleteAsync();
        return await Assert.ThrowsAsync<RpcException>(() => ReadAllAsync(Stream(pipe, gzip)));
    }

    private static RequestStream Stream(Pipe pipe, bool gzip = false) =>
        new(pipe.Reader, Limit, gzip, new MethodMetrics("m"), CancellationToken.None);

    private static async Task<List<byte[]>> ReadAllAsync(RequestStream stream)
    {
        List<byte[]> messages = [];
        while (await stream.WaitToReadAsync())
        {
            while (stream.TryRead(out var message))
            {
                messages.Add(message.ToArray());
            }
        }

        stream.End();
        return messages;
    }

    private static byte[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(i => (byte)(i * 31 + i / 256))];
}
