using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using Google.Protobuf;
using Ingest.Cli.Binding;
using Ingest.Cli.Input;
using Ingest.Client;

namespace Ingest.Cli.Streaming;

/// <summary>
/// Streams files. A file goes to one stream as a whole, so rows of a file keep their order; a stream that is done takes
/// the next file. Memory does not grow with the files: each stream holds a line, a row and the client's buffer.
/// </summary>
/// <typeparam name="TRow">The kind of row.</typeparam>
internal sealed class StreamJob<TRow>
    where TRow : class, IMessage<TRow>
{
    private readonly StreamSettings _settings;
    private readonly Func<StreamOptions, CancellationToken, IngestStream<TRow>> _open;
    private readonly Func<BindingOptions, RowBinder<TRow>> _createBinder;
    private readonly ConcurrentQueue<InputFile> _files;
    private readonly RatePacer _pacer;

    public StreamJob(
        StreamSettings settings,
        Func<StreamOptions, CancellationToken, IngestStream<TRow>> open,
        Func<BindingOptions, RowBinder<TRow>> createBinder)
    {
        _settings = settings;
        _open = open;
        _createBinder = createBinder;
        _files = new ConcurrentQueue<InputFile>(settings.Files);
        _pacer = new RatePacer(settings.RowsPerSecond, TimeProvider.System);
    }

    /// <summary>What came of it so far.</summary>
    public StreamReport Report { get; } = new();

    /// <summary>Streams all files and waits for the server's answers.</summary>
    /// <exception cref="Protocol.RpcException">A stream failed; the others were given up.</exception>
    /// <exception cref="UsageException">A file that was named is not what it should be.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var workers = new Task[Math.Clamp(_settings.Streams, 1, Math.Max(1, _settings.Files.Count))];
        for (var i = 0; i < workers.Length; i++)
        {
            // Files are read without async; the rows of one stream have a thread of the pool for themselves.
            workers[i] = Task.Run(() => RunStreamAsync(stop), CancellationToken.None);
        }
        var failures = new List<Exception>();
        foreach (var worker in workers)
        {
            try
            {
                await worker;
            }
            catch (Exception exception)
            {
                failures.Add(exception);
            }
        }
        // The first that is not the echo of another one's failure.
        var cause = failures.Find(failure => failure is not OperationCanceledException) ?? failures.FirstOrDefault();
        if (cause is not null)
        {
            ExceptionDispatchInfo.Throw(cause);
        }
    }

    private async Task RunStreamAsync(CancellationTokenSource stop)
    {
        try
        {
            var origins = new RowOrigins();
            await using var stream = _open(_settings.Stream, stop.Token);
            while (_files.TryDequeue(out var file))
            {
                await StreamFileAsync(file, stream, origins, stop.Token);
            }
            Report.AddResult(await stream.CompleteAsync(stop.Token), origins);
        }
        catch
        {
            await stop.CancelAsync();
            throw;
        }
    }

    private async Task StreamFileAsync(
        InputFile file, IngestStream<TRow> stream, RowOrigins origins, CancellationToken cancellationToken)
    {
        using var reader = Open(file);
        if (reader is null)
        {
            return;
        }
        Report.AddFile();
        ReadOutcome outcome;
        while ((outcome = Read(reader, file)) != ReadOutcome.End)
        {
            if (outcome == ReadOutcome.Fault)
            {
                Report.AddFault(file.Path, reader.Line, reader.Fault);
                continue;
            }
            var due = _pacer.TakeAsync(1, cancellationToken);
            if (!due.IsCompletedSuccessfully)
            {
                await due;
            }
            var written = stream.WriteAsync(reader.Row, cancellationToken);
            if (!written.IsCompletedSuccessfully)
            {
                await written;
            }
            origins.Add(file.Path, reader.Line);
            Report.AddRow();
        }
        if (reader.UnusedColumns.Count > 0)
        {
            Report.AddNote($"columns without a field: {string.Join(", ", reader.UnusedColumns)}");
        }
    }

    /// <summary>Opens a file; null when it is empty, or was found in a directory and is nothing for us.</summary>
    private RowReader<TRow>? Open(InputFile file)
    {
        if (file is { LengthBytes: 0, Path: not InputFile.StandardInput })
        {
            Report.AddNote($"{file.Path} is empty");
            return null;
        }
        LineReader? lines = null;
        try
        {
            lines = new LineReader(file.Open(Report.AddBytes));
            var binding = _settings.Binding with { Driver = file.Driver, Stem = file.Stem };
            return InputFormats.Open(lines, _settings.Format, _createBinder(binding));
        }
        catch (Exception exception) when (exception is UsageException or InvalidDataException)
        {
            lines?.Dispose();
            if (!file.FromDirectory)
            {
                throw new UsageException($"{file.Path}: {exception.Message}");
            }
            Report.AddNote($"{file.Path} left out: {exception.Message}");
            return null;
        }
    }

    /// <summary>Reads on; a file that cannot be read on is a fault and ends.</summary>
    private ReadOutcome Read(RowReader<TRow> reader, InputFile file)
    {
        try
        {
            return reader.Read();
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException)
        {
            Report.AddFault(file.Path, reader.Line + 1, $"{exception.Message}; the rest of the file is left out");
            return ReadOutcome.End;
        }
    }
}
