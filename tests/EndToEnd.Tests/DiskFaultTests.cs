using System.Diagnostics;
using System.Globalization;
using Ingest.V1;
using Xunit.Abstractions;
using static Ingest.EndToEnd.Tests.PointFrames;

namespace Ingest.EndToEnd.Tests;

/// <summary>
/// A disk that is full, answers with errors or has rotted, under the real server: senders hear of it, nothing that was
/// acknowledged is lost or there twice, and the service goes on by itself.
/// </summary>
[Trait("Category", "Chaos")]
public sealed class DiskFaultTests(ITestOutputHelper output)
{
    private const int Producers = 4;
    private const string Ok = "0";
    private const string Unavailable = "14";

    private static readonly int s_times = Environment.GetEnvironmentVariable("INGEST_CHAOS") == "long" ? 3 : 1;

    // A producer that waits a little, so that the small disk is not full of rows before the test fills it.
    private static readonly TimeSpan s_rest = TimeSpan.FromMilliseconds(5);

    [SkippableFact]
    public async Task A_full_disk_refuses_senders_and_the_service_goes_on_when_there_is_room()
    {
        Engine.Require();
        using SmallDisk? disk = SmallDisk.TryMount(megabytes: 512);
        Skip.If(disk is null, "mounting a tmpfs needs root on Linux");
        await using var producers = new ResumingProducers(Producers, s_rest);
        ServerProcess server = await ServerProcess.StartAsync(Directory.CreateDirectory(Path.Combine(disk.Root, "data")).FullName);
        try
        {
            producers.Address = server.GrpcAddress;
            for (int time = 0; time < s_times; time++)
            {
                // The log and the embedded engine have the same full disk.
                await producers.ProgressAsync();
                producers.Endings.Clear();
                disk.Fill();
                await producers.UntilAsync(() => producers.Endings.Count >= Producers, "nobody was refused");
                ExpectRefusals(producers);
                await ExpectStreamRefusedAsync(server);
                disk.Free();
                await producers.ProgressAsync();
            }

            // A process that dies on a full disk, and what the next one says to it.
            disk.Fill();
            producers.Endings.Clear();
            await producers.UntilAsync(() => !producers.Endings.IsEmpty, "nobody was refused");
            producers.Address = null;
            await server.KillAsync();
            disk.Free();
            server = await ServerProcess.StartAsync(server.DataDirectory);
            producers.Address = server.GrpcAddress;
            await producers.ProgressAsync();
            await producers.StopAsync();
            await producers.ExpectOnceAsync(server);
            output.WriteLine($"{producers.Acknowledged} rows acknowledged");
        }
        finally
        {
            await server.DisposeAsync();
        }
    }

    [SkippableTheory]
    [InlineData("fsync", "EIO")]
    [InlineData("pwritev", "EIO")]
    [InlineData("pwritev", "ENOSPC")]
    public async Task While_the_disk_answers_with_errors_senders_are_refused_and_then_all_goes_on(string call, string error)
    {
        Engine.Require();
        Skip.IfNot(File.Exists("/usr/bin/strace"), "strace, which makes system calls fail, is not installed");
        await using var producers = new ResumingProducers(Producers);
        ServerProcess server = await ServerProcess.StartAsync();
        try
        {
            producers.Address = server.GrpcAddress;
            for (int time = 0; time < s_times; time++)
            {
                await producers.ProgressAsync();
                producers.Endings.Clear();
                using (Process failing = Fail(server.ProcessId, call, error))
                {
                    try
                    {
                        await producers.UntilAsync(() => producers.Endings.Count >= Producers || failing.HasExited, "nobody was refused");
                        Skip.If(failing.HasExited, "strace may not trace here");
                    }
                    finally
                    {
                        await LetGoAsync(failing);
                    }
                }

                ExpectRefusals(producers);
                await producers.ProgressAsync();
            }

            await producers.StopAsync();
            await producers.ExpectOnceAsync(server);
            output.WriteLine($"{producers.Acknowledged} rows acknowledged");
        }
        finally
        {
            await server.DisposeAsync();
        }
    }

    [SkippableFact]
    public async Task A_rotten_block_is_set_aside_and_reported_and_the_rest_is_kept()
    {
        Engine.Require();
        const int Rows = 1000;

        // One segment of ten blocks, left open by the kill.
        ServerProcess server = await ServerProcess.StartAsync(
            null, "Store:Kind=null", "Log:SegmentAge=01:00:00", "Log:MaxSegmentAge=01:00:00");
        await using (AppendCall call = await AppendCall.OpenAsync(server.GrpcAddress, "p"))
        {
            for (int sent = 0; sent < Rows; sent += 100)
            {
                call.SendPoints(sent, 100);
                await call.DurableAsync(sent + 100);
            }
        }

        await server.KillAsync();
        string data = Directory.GetFiles(Path.Combine(server.DataDirectory, "log", "gps_points"), "*.native").Single();
        byte[] bytes = await File.ReadAllBytesAsync(data);
        bytes[bytes.Length / 2] ^= 1;
        await File.WriteAllBytesAsync(data, bytes);

        await using ServerProcess again = await ServerProcess.StartAsync(server.DataDirectory);
        const string Count = "SELECT count(), uniqExact(order_id) FROM gps_points";
        await again.ExpectAsync("900\t900", Count);
        Assert.Contains("Damaged bytes in the log", again.Messages, StringComparison.Ordinal);
        Assert.Single(Directory.GetFiles(Path.Combine(server.DataDirectory, "quarantine"), "gps_points-*.native"));
        string metrics = await again.Http.GetStringAsync("/metrics");
        Assert.Matches("(?m)^ingest_log_quarantined_rows_total[^ ]* 100$", metrics);
        string health = await again.Http.GetStringAsync("/health");
        Assert.Contains("quarantine", health, StringComparison.Ordinal);

        // Either the rotten rows still count as acknowledged, or the producer is asked to send them again.
        await using AppendCall resumed = await AppendCall.OpenAsync(again.GrpcAddress, "p");
        int durable = (int)resumed.Opened!.DurableOffset;
        Assert.InRange(durable, 100, Rows);
        resumed.SendPoints(durable, Rows + 100 - durable);
        await resumed.DurableAsync(Rows + 100);
        await again.ExpectAsync(durable == Rows ? "1000\t1000" : "1100\t1100", Count);
    }

    // In band, when the log knows that its disk is short; in band and with the call's end when a write has failed; with
    // the call's end alone when it was the opening that was refused.
    private static void ExpectRefusals(ResumingProducers producers) => Assert.All(producers.Endings, ending =>
    {
        if (ending.Refusal is { } refusal)
        {
            Assert.Equal(RefusalReason.Disk, refusal.Reason);
            Assert.True(refusal.RetryAfter.ToTimeSpan() > TimeSpan.Zero);
        }

        if (ending.Refusal is null || ending.Status != Ok)
        {
            Assert.Equal((Unavailable, true), (ending.Status, ending.HasRetryInfo));
            Assert.True(int.Parse(ending.Pushback, CultureInfo.InvariantCulture) > 0);
        }
    });

    private static async Task ExpectStreamRefusedAsync(ServerProcess server)
    {
        byte[] frame = Frame(new StreamGpsPointsRequest { Points = { Point(1, "stream") } });
        RawCall.Answer answer = await RawCall.SendAsync(server.GrpcAddress, "StreamGpsPoints", frame);
        Assert.True(answer.Status is 8 or 14, $"{answer.Status}: {answer.Message}");
        Assert.True(int.Parse(answer.Trailers["grpc-retry-pushback-ms"], CultureInfo.InvariantCulture) > 0);
    }

    // Every call of this kind fails in the server, on all threads, until it is let go.
    private static Process Fail(int process, string call, string error) => Process.Start(new ProcessStartInfo(
        "strace", ["-f", "-q", "-p", $"{process}", "-e", $"trace={call}", "-e", $"inject={call}:error={error}", "-o", "/dev/null"])
    {
        RedirectStandardError = true,
    })!;

    private static async Task LetGoAsync(Process strace)
    {
        if (!strace.HasExited)
        {
            using Process interrupt = Process.Start("kill", ["-INT", $"{strace.Id}"]);
            await interrupt.WaitForExitAsync();
            await strace.WaitForExitAsync();
        }
    }
}
