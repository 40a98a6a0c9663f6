using Ingest.Log;
using Ingest.Stores;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ingest.Tests.Log.Crashes;

/// <summary>
/// A run of the log and its store on a simulated disk, drawn from a seed: producers that send, resend and begin new
/// sessions, rows without a producer, rejected rows, seals, inserts, releases, a store that fails, and a disk that
/// fails at any of its calls.
/// </summary>
internal sealed class CrashScenario
{
    /// <summary>Producers on each table.</summary>
    public const int Producers = 3;

    private static readonly DiskCall[] s_failing =
    [
        new("create", ".native"), new("create", ".index"), new("create", ".tmp"), new("write", ".native"),
        new("write", ".index"), new("write", ""), new("write", ".tmp"), new("write", ".mark"),
        new("truncate", ".native"), new("truncate", ".index"), new("flush", ".native"), new("flush", ".index"),
        new("flush", ""), new("flush", ".tmp"), new("flush", ".mark"), new("rename", ".tmp"), new("rename", ".index"),
        new("delete", ".native"), new("rename", ".native"), new("rename", ".spare"), new("delete", ".released"), new("delete", ".end"), new("flush directory", ""),
    ];

    private readonly Random _random;
    private readonly SimulatedDisk _disk = new(DiskImage.Empty, []);
    private readonly SegmentLog _log;
    private readonly SimulatedStore _store;
    private readonly List<CrashSender> _senders = [];
    private readonly List<AnonymousSender> _anonymous = [];

    private CrashScenario(Random random, SimulatedDisk disk, SegmentLog log, SimulatedStore store)
    {
        (_random, _disk, _log, _store) = (random, disk, log, store);
        foreach (var table in CrashTables.All)
        {
            _senders.AddRange(Enumerable.Range(0, Producers).Select(p => new CrashSender(disk, log.Lane(table), p, 0)));
            _anonymous.Add(new AnonymousSender(disk, log.Lane(table)));
        }
    }

    /// <summary>Settings under which the scenario alone says when segments are sealed.</summary>
    public static LogOptions OptionsFor(string directory) => new()
    {
        DataDirectory = directory,
        SegmentAge = TimeSpan.FromHours(1),
        MaxSegmentAge = TimeSpan.FromHours(1),
        Linger = TimeSpan.Zero,
        OpenBatches = 2,

        // So that many are half full when they are sealed, and their files written over.
        SegmentBytes = 4096,
    };

    /// <summary>Runs it and gives the disk with its journal.</summary>
    public static async Task<SimulatedDisk> RunAsync(string directory, int seed, int steps)
    {
        var disk = new SimulatedDisk(DiskImage.Empty, []);
        var log = await SegmentLog.OpenAsync(
            OptionsFor(directory), CrashTables.All, NullLogger.Instance, TimeProvider.System, disk, default);
        var store = new SimulatedStore(disk, new Ledger());
        await using var writer = WriterFor(log, store, directory);
        writer.Start();
        var scenario = new CrashScenario(new Random(seed), disk, log, store);
        for (var step = 0; step < steps; step++)
        {
            await scenario.StepAsync();
        }

        await log.StopAsync();
        await writer.StopAsync(TimeSpan.FromSeconds(30));
        await log.DisposeAsync();
        return disk;
    }

    /// <summary>The writer that carries segments from a log to a store.</summary>
    public static StoreWriter WriterFor(SegmentLog log, SimulatedStore store, string directory) => new(
        store, log.Sealed, log.Release, Path.Combine(directory, "quarantine"),
        new StoreOptions { RetryDelay = TimeSpan.FromMilliseconds(1), MaxRetryDelay = TimeSpan.FromMilliseconds(1) },
        NullLogger.Instance, TimeProvider.System);

    private async Task StepAsync()
    {
        var sender = _senders[_random.Next(_senders.Count)];
        switch (_random.Next(10))
        {
            case 0:
                await sender.OpenAsync();
                break;
            case 1:
                await _anonymous[_random.Next(_anonymous.Count)].SendAsync(_random.Next(1, 4));
                break;
            case 2 or 3:
                await _log.SealAsync();
                break;
            case 4:
                _store.FailNext(_random.Next(1, 4));
                break;
            case 5:
                await FailAsync();
                break;
            case 6:
                await SendAsync(sender);
                await Task.WhenAll(_senders.Select(SendAsync));
                break;
            default:
                await SendAsync(sender);
                break;
        }
    }

    private async Task SendAsync(CrashSender sender)
    {
        int messages, count, again;
        lock (_random)
        {
            (messages, count, again) = (_random.Next(1, 4), _random.Next(1, 30), _random.Next(3));
        }

        for (; messages > 0; messages--)
        {
            await sender.SendAsync(count, again);
        }

        await sender.SettleAsync();
    }

    // One call fails, or the next few, or all of them for some steps.
    private async Task FailAsync()
    {
        var failing = s_failing[_random.Next(s_failing.Length)];
        var isAll = _random.Next(5) == 0;
        var left = isAll ? int.MaxValue : _random.Next(1, 4);
        var kind = failing.Name == "write" && _random.Next(2) == 0 ? FaultKind.FailsHalfway : FaultKind.Fails;
        _disk.Fault = call =>
            (isAll || call == failing) && Interlocked.Decrement(ref left) >= 0 ? kind : FaultKind.None;
        for (var step = _random.Next(1, 4); step > 0; step--)
        {
            await SendAsync(_senders[_random.Next(_senders.Count)]);
            await _anonymous[_random.Next(_anonymous.Count)].SendAsync(_random.Next(1, 3));
            if (_random.Next(2) == 0)
            {
                await _log.SealAsync();
            }
        }

        _disk.Fault = null;
    }
}
