using System.Threading.Channels;
using Google.Protobuf;
using Ingest.Client.Calls;
using Ingest.Protocol;

namespace Ingest.Client;

/// <summary>
/// A stream of rows to the server. Rows are gathered into request messages, many of which go out at once; the server
/// answers once, when the stream is completed and all that it accepted is durable. At least once: when a stream fails,
/// rows that were sent may have landed, and sending them again may land them twice.
/// </summary>
/// <typeparam name="TRow">The kind of row.</typeparam>
/// <remarks>
/// <para>All members are safe for use by several threads at once; the rows of one thread keep their order. A row may
/// be changed and written again as soon as <see cref="WriteAsync"/> has returned its task: the row is serialised
/// before.</para>
/// <para>Memory is bounded by <see cref="StreamOptions.MaxBufferedBytes"/> and one batch; writing allocates nothing per
/// row. A failure of the call shows at the next write, flush or completion, and at every one after it.</para>
/// </remarks>
public sealed partial class IngestStream<TRow> : IAsyncDisposable
    where TRow : class, IMessage<TRow>
{
    /// <summary>The field key before a row; its length follows as a varint of at most 5 bytes.</summary>
    private const int KeyBytes = 1;

    private readonly Lock _gate = new();
    private readonly RpcCall _call;
    private readonly StreamOptions _options;
    private readonly CancellationToken _cancellationToken;
    private readonly int _slabBytes;
    private readonly ITimer _linger;

    // Bounded in bytes by _bufferedBytes; when full, writers wait for _room.
    private readonly Channel<Parcel> _outbox =
        Channel.CreateUnbounded<Parcel>(new UnboundedChannelOptions { SingleReader = true });

    private readonly Task _sender;
    private readonly Task<StreamResult> _answer;
    private Slab _open;
    private long _bufferedBytes;
    private long _rowCount;
    private bool _lingering;
    private bool _senderIsIdle = true;
    private bool _completed;
    private Exception? _fault;
    private TaskCompletionSource? _room;

    private IngestStream(
        RpcChannel channel, StreamKind<TRow> kind, StreamOptions options, CancellationToken cancellationToken)
    {
        _options = options;
        _cancellationToken = cancellationToken;
        _slabBytes = options.MaxBatchBytes + MessageFrame.HeaderBytes;
        _linger = channel.TimeProvider.CreateTimer(
            static state => ((IngestStream<TRow>)state!).OnLingered(), this, Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan);
        _call = channel.Start(kind.Path, timeout: null, cancellationToken);
        _answer = Task.Run(() => ReadAnswerAsync(kind), CancellationToken.None);
        _sender = Task.Run(SendAsync, CancellationToken.None);
    }

    /// <summary>Rows written so far.</summary>
    public long RowCount => Interlocked.Read(ref _rowCount);

    /// <summary>
    /// Writes a row. Completes at once while there is room; waits for the server when
    /// <see cref="StreamOptions.MaxBufferedBytes"/> are waiting to be sent.
    /// </summary>
    /// <param name="row">The row; it can be used again when the task has been returned and is complete.</param>
    /// <param name="cancellationToken">Gives up waiting; the row is then not written.</param>
    /// <exception cref="RpcException">The call has ended.</exception>
    /// <exception cref="InvalidOperationException">The stream is completed.</exception>
    /// <exception cref="OperationCanceledException">A token was cancelled.</exception>
    public ValueTask WriteAsync(TRow row, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(row);
        return WriteAsync(row, columnRows: 0, cancellationToken);
    }

    /// <summary>Writes a row, or with <paramref name="columnRows"/> so many rows as columns.</summary>
    internal ValueTask WriteAsync(IMessage message, uint columnRows, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            ThrowIfEnded();
            if (HasRoom)
            {
                Append(message, columnRows);
                return ValueTask.CompletedTask;
            }
        }
        return WaitAndWriteAsync(this, message, columnRows, cancellationToken);

        static async ValueTask WaitAndWriteAsync(
            IngestStream<TRow> stream, IMessage message, uint columnRows, CancellationToken cancellationToken)
        {
            while (true)
            {
                Task room;
                lock (stream._gate)
                {
                    stream.ThrowIfEnded();
                    if (stream.HasRoom)
                    {
                        stream.Append(message, columnRows);
                        return;
                    }
                    stream.HandOver();
                    stream._room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                    room = stream._room.Task;
                }
                await room.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>
    /// Sends what was written so far, and waits until the connection has taken it. It says nothing about what the
    /// server did with it; <see cref="CompleteAsync"/> does.
    /// </summary>
    /// <param name="cancellationToken">Gives up waiting; the rows are sent all the same.</param>
    /// <exception cref="RpcException">The call has ended.</exception>
    /// <exception cref="InvalidOperationException">The stream is completed.</exception>
    /// <exception cref="OperationCanceledException">A token was cancelled.</exception>
    public Task FlushAsync(CancellationToken cancellationToken = default)
    {
        var flushed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            ThrowIfEnded();
            HandOver();
            _outbox.Writer.TryWrite(new Parcel(default, flushed));
        }
        return flushed.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Sends the rest, ends the stream and waits for the answer. May be called more than once.</summary>
    /// <param name="cancellationToken">Gives up waiting; the stream ends all the same.</param>
    /// <returns>What became of the rows.</returns>
    /// <exception cref="RpcException">
    /// The call failed; <see cref="RpcExceptionExtensions.GetAcceptedCount"/> says what landed, where the server told.
    /// </exception>
    /// <exception cref="OperationCanceledException">A token was cancelled.</exception>
    public Task<StreamResult> CompleteAsync(CancellationToken cancellationToken = default)
    {
        lock (_gate)
        {
            if (!_completed && _fault is null)
            {
                HandOver();
            }
            _completed = true;
            _outbox.Writer.TryComplete();
        }
        return _answer.WaitAsync(cancellationToken);
    }

    /// <summary>Ends the call. Unless the stream was completed, rows that were not sent are lost.</summary>
    public async ValueTask DisposeAsync()
    {
        Fail(new ObjectDisposedException(nameof(IngestStream<>)));
        await _linger.DisposeAsync().ConfigureAwait(false);
        await _call.DisposeAsync().ConfigureAwait(false);
        await _sender.ConfigureAwait(false);
        await ((Task)_answer).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_gate)
        {
            _open.Return();
            _open = default;
        }
    }

    /// <summary>Whether a row can be taken; while some wait for room, others do not overtake them.</summary>
    private bool HasRoom => _room is null && _bufferedBytes < _options.MaxBufferedBytes;

    /// <summary>Opens a stream.</summary>
    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    internal static IngestStream<TRow> Open(
        RpcChannel channel, StreamKind<TRow> kind, StreamOptions? options, CancellationToken cancellationToken)
    {
        options ??= new StreamOptions();
        Validate(options);
        return new IngestStream<TRow>(channel, kind, options, cancellationToken);
    }

    private static void Validate(StreamOptions options)
    {
        ThrowUnless(options.MaxBatchRows > 0, "MaxBatchRows has to be positive.");
        ThrowUnless(options.MaxBatchBytes is > 0 and <= 1 << 30, "MaxBatchBytes has to be positive, at most 1 GiB.");
        ThrowUnless(options.MaxBufferedBytes > 0, "MaxBufferedBytes has to be positive.");
        ThrowUnless(
            options.Linger >= TimeSpan.Zero && options.Linger <= TimeSpan.FromMinutes(1),
            "Linger has to be between zero and one minute.");

        static void ThrowUnless(bool valid, string fault)
        {
            if (!valid)
            {
                throw new ArgumentException($"StreamOptions.{fault}", nameof(options));
            }
        }
    }

    private void ThrowIfEnded()
    {
        if (_fault is not null)
        {
            throw Rethrown(_fault);
        }
        if (_completed)
        {
            throw new InvalidOperationException("The stream is completed.");
        }
    }

    /// <summary>
    /// An exception object is thrown to one caller only, so that its stack trace is the caller's.
    /// </summary>
    private Exception Rethrown(Exception fault) => fault switch
    {
        RpcException rpc => new RpcException(rpc.StatusCode, rpc.Detail, rpc)
        {
            Details = rpc.Details,
            Trailers = rpc.Trailers,
        },
        OperationCanceledException => new OperationCanceledException(fault.Message, fault, _cancellationToken),
        _ => new ObjectDisposedException(nameof(IngestStream<>)),
    };

    /// <summary>Slabs on their way to the sender, and flushes to be told of.</summary>
    /// <param name="Slab">Frames; empty for none.</param>
    /// <param name="Flushed">Completed when everything up to here was given to the connection.</param>
    private readonly record struct Parcel(Slab Slab, TaskCompletionSource? Flushed);
}
