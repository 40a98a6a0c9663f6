namespace Ingest.Server.Http2;

/// <content>Streams that are to go on, and who has them do so.</content>
internal sealed partial class Http2Connection
{
    /// <summary>Streams in line from which on the reading thread asks for company.</summary>
    private const int ManyStreams = 4;

    private readonly Lock _workGate = new();
    private Http2Stream? _firstWork;
    private Http2Stream? _lastWork;
    private int _workCount;
    private int _runners;
    private bool _isParsing;

    /// <summary>Has a stream go on with something: soon, on another stack, whichever lock is held here.</summary>
    public void Schedule(Http2Stream stream, StreamWork work)
    {
        bool needsRunner = false;
        lock (_workGate)
        {
            bool isNew = stream.Work == StreamWork.None;
            stream.Work |= work;
            if (isNew)
            {
                stream.NextWork = null;
                if (_lastWork is null)
                {
                    _firstWork = stream;
                }
                else
                {
                    _lastWork.NextWork = stream;
                }

                _lastWork = stream;
                _workCount++;
            }

            // The reading thread sees to it when it has parsed all; what it serves already may not come back.
            if (!_isParsing && _workCount > 0 && _runners == 0)
            {
                _runners = 1;
                needsRunner = true;
            }
        }

        if (needsRunner)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    /// <summary>A thread of the pool takes streams that are to go on.</summary>
    void IThreadPoolWorkItem.Execute()
    {
        lock (_workGate)
        {
            // From here on who adds work may ask for another: what is served here may not come back.
            _runners--;
        }

        while (TryTakeWork(out Http2Stream? stream, out StreamWork work))
        {
            EnsureRunner();
            stream.GoOn(work);
        }
    }

    // What is scheduled from here on is served when the frames are parsed.
    private void BeginParsing()
    {
        lock (_workGate)
        {
            _isParsing = true;
        }
    }

    // Serves what the frames were for. False: the connection was taken from this thread.
    private bool RunTurn()
    {
        int count;
        lock (_workGate)
        {
            _isParsing = false;
            count = _workCount;
        }

        if (count == 0)
        {
            Output.SendNow();
            return true;
        }

        ReadingTurn? turn = ReadingTurn.Begin(this);
        if (turn is null || count >= ManyStreams)
        {
            EnsureRunner();
        }

        bool isOurs = true;
        if (turn is not null)
        {
            try
            {
                while (ReadingTurn.Holds(this) && TryTakeWork(out Http2Stream? stream, out StreamWork work))
                {
                    stream.GoOn(work);
                }
            }
            finally
            {
                isOurs = turn.End(this);
            }
        }

        Output.SendNow();
        return isOurs;
    }

    private bool TryTakeWork([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Http2Stream? stream, out StreamWork work)
    {
        lock (_workGate)
        {
            stream = _firstWork;
            work = StreamWork.None;
            if (stream is null)
            {
                return false;
            }

            _firstWork = stream.NextWork;
            if (_firstWork is null)
            {
                _lastWork = null;
            }

            stream.NextWork = null;
            work = stream.Work;
            stream.Work = StreamWork.None;
            _workCount--;
            return true;
        }
    }

    private void EnsureRunner()
    {
        lock (_workGate)
        {
            if (_workCount == 0 || _runners > 0)
            {
                return;
            }

            _runners++;
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }
}
