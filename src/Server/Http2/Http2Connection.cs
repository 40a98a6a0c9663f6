using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Authentication;
using Ingest.Server.Http2.Hpack;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Ingest.Server.Http2;

/// <summary>A connection that speaks HTTP/2 (RFC 9113), and the streams on it.</summary>
/// <remarks>
/// <para>One thread at a time reads it: frames are parsed where they were received, and the calls that they are for go on
/// on that same thread when all are parsed. A call that does not come back in 10 to 20 ms has the connection taken from
/// its thread (<see cref="ReadingTurn"/>); of many calls that wait at once other threads take their share.</para>
/// <para>Locks, outer first: the output's, this one's of the streams, this one's of work.</para>
/// </remarks>
[SuppressMessage("Design", "CA1001", Justification = "The registration ends with the connection's run.")]
internal sealed partial class Http2Connection : IThreadPoolWorkItem
{
    private readonly ConnectionContext _context;
    private readonly Wire _wire;
    private readonly Http2Application _application;
    private readonly KestrelServerLimits _limits;
    private readonly ILogger _logger;
    private readonly HpackDecoder _decoder = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();
    private readonly Dictionary<int, Http2Stream> _streams = [];

    // Streams whose application runs, those that the client has reset included.
    private int _running;
    private int _isAborted;
    private bool _isClosing;
    private bool _isDraining;
    private volatile bool _isRead;

    public Http2Connection(
        ConnectionContext context, Wire wire, Http2Application application, KestrelServerLimits limits, ILogger logger)
    {
        _context = context;
        _wire = wire;
        _application = application;
        _limits = limits;
        _logger = logger;
        _receiveWindow = FrameHeader.DefaultWindow;
        Output = new Http2Output(wire, this);
    }

    /// <summary>What goes out.</summary>
    public Http2Output Output { get; }

    /// <summary>The connection below: addresses, TLS, and what middleware has left.</summary>
    public ConnectionContext Context => _context;

    /// <summary>Limits, as Kestrel's options have them.</summary>
    public KestrelServerLimits Limits => _limits;

    /// <summary>Where failures of the application are said.</summary>
    public ILogger Logger => _logger;

    /// <summary>Serves the connection until it is closed.</summary>
    public async Task RunAsync()
    {
        if (_context.Features.Get<ITlsHandshakeFeature>() is { } tls && IsWeak(tls))
        {
            Output.WriteGoAway(0, Http2ErrorCode.InadequateSecurity);
            await Output.DrainAsync();
            return;
        }

        var lifetime = _context.Features.Get<IConnectionLifetimeNotificationFeature>();
        CancellationTokenRegistration onStop = lifetime is null ? default : lifetime.ConnectionClosedRequested.UnsafeRegister(
            static connection => ((Http2Connection)connection!).Drain(), this);
        _context.Features.Get<IConnectionHeartbeatFeature>()?.OnHeartbeat(
            static connection => ((Http2Connection)connection!).Look(), this);
        _lastReceived = Environment.TickCount64;
        WriteSettings();
        Output.SendNow();
        _ = ReadAsync();
        await _ended.Task;
        onStop.Unregister();
    }

    /// <summary>Ends the connection at once: its calls are cancelled, and what waits to be sent is dropped.</summary>
    public void Abort(Exception reason)
    {
        if (Interlocked.Exchange(ref _isAborted, 1) == 0)
        {
            LogMessages.Http2Aborted(_logger, _context.ConnectionId, reason.Message);
            Output.Close();
            _wire.Shutdown();
            AbortStreams(new IOException("The connection broke.", reason));
        }
    }

    /// <summary>A stream whose both sides have ended, or that was reset, is not known any more.</summary>
    public void Remove(Http2Stream stream)
    {
        lock (_gate)
        {
            if (!_streams.Remove(stream.Id))
            {
                return;
            }

            _lastActive = Environment.TickCount64;
        }

        CloseWhenIdle();
    }

    /// <summary>A stream's application has ended.</summary>
    public void OnApplicationEnded()
    {
        if (Interlocked.Decrement(ref _running) == 0)
        {
            EndWhenDone();
            CloseWhenIdle();
        }
    }

    // The server does not stop while a call runs, though its client may be gone.
    private void EndWhenDone()
    {
        if (_isRead && Volatile.Read(ref _running) == 0)
        {
            _ended.TrySetResult();
        }
    }

    private static bool IsWeak(ITlsHandshakeFeature tls) =>
        tls.Protocol is not (SslProtocols.Tls12 or SslProtocols.Tls13 or SslProtocols.None);

    private void WriteSettings()
    {
        Span<byte> payload = stackalloc byte[4 * SettingBytes];
        Put(payload, SettingId.MaxConcurrentStreams, (uint)_limits.Http2.MaxStreamsPerConnection);
        Put(payload[SettingBytes..], SettingId.InitialWindowSize, (uint)_limits.Http2.InitialStreamWindowSize);
        Put(payload[(2 * SettingBytes)..], SettingId.MaxHeaderListSize, (uint)_limits.MaxRequestHeadersTotalSize);
        Put(payload[(3 * SettingBytes)..], SettingId.MaxFrameSize, FrameHeader.DefaultMaxLength);
        Output.Write(FrameType.Settings, FrameFlags.None, 0, payload);
        int more = _limits.Http2.InitialConnectionWindowSize - FrameHeader.DefaultWindow;
        if (more > 0)
        {
            Output.WriteWindowUpdate(0, more);
            _receiveWindow += more;
        }

        static void Put(Span<byte> target, SettingId id, uint value)
        {
            BinaryPrimitives.WriteUInt16BigEndian(target, (ushort)id);
            BinaryPrimitives.WriteUInt32BigEndian(target[sizeof(ushort)..], value);
        }
    }

    // The server stops: the client is told, and may finish what it has begun meanwhile (RFC 9113, 6.8).
    private void Drain()
    {
        lock (_gate)
        {
            if (_isDraining || _isClosing)
            {
                return;
            }

            _isDraining = true;
        }

        Output.WriteGoAway(int.MaxValue, Http2ErrorCode.NoError);
        DismissEarly(all: true);
        Output.SendNow();
        CloseWhenIdle();
    }

    private void CloseWhenIdle()
    {
        lock (_gate)
        {
            if (!_isDraining || _isClosing || _streams.Count > 0 || Volatile.Read(ref _running) > 0)
            {
                return;
            }

            _isClosing = true;
        }

        // Elsewhere: here may be under the output's lock.
        ThreadPool.UnsafeQueueUserWorkItem(
            static connection => _ = connection.CloseAsync(Http2ErrorCode.NoError), this, preferLocal: false);
    }

    // The last thing that the client hears; then the reading thread finds the end.
    private async Task CloseAsync(Http2ErrorCode code)
    {
        Output.WriteGoAway(_lastStreamId, code);
        Task drained = Output.DrainAsync();
        try
        {
            await drained.WaitAsync(s_closeTimeout);
        }
        catch (TimeoutException)
        {
            // It does not read.
        }

        _wire.Shutdown();
    }

    private void AbortStreams(Exception reason)
    {
        Http2Stream[] streams;
        lock (_gate)
        {
            _isClosing = true;
            streams = [.. _streams.Values];
        }

        foreach (Http2Stream stream in streams)
        {
            stream.OnGone(reason);
        }
    }
}
