using static Grpc.Health.V1.HealthCheckResponse.Types;

namespace Ingest.Server.Grpc;

/// <summary>
/// Whether the server and its services take calls. The parts of the server set it; <c>grpc.health.v1</c> and readiness
/// probes read it.
/// </summary>
/// <remarks>Safe for use by several threads at once.</remarks>
public sealed class HealthStatus
{
    /// <summary>The name of the server as a whole.</summary>
    public const string Server = "";

    private readonly Lock _gate = new();
    private readonly Dictionary<string, ServingStatus> _statuses = new() { [Server] = ServingStatus.Serving };
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _down;

    /// <summary>Completes at the next change. Take it before <see cref="Get"/>, so that no change is missed.</summary>
    public Task Changed
    {
        get
        {
            lock (_gate)
            {
                return _changed.Task;
            }
        }
    }

    /// <summary>The status of a service, or null when it is not known.</summary>
    public ServingStatus? Get(string service)
    {
        lock (_gate)
        {
            return _statuses.TryGetValue(service, out var status) ? status : null;
        }
    }

    /// <summary>The statuses of all services.</summary>
    public IReadOnlyDictionary<string, ServingStatus> GetAll()
    {
        lock (_gate)
        {
            return new Dictionary<string, ServingStatus>(_statuses);
        }
    }

    /// <summary>Sets the status of a service, or of the <see cref="Server"/>. Without effect after
    /// <see cref="SetDown"/>.</summary>
    public void Set(string service, ServingStatus status)
    {
        lock (_gate)
        {
            if (_down || (_statuses.TryGetValue(service, out var before) && before == status))
            {
                return;
            }

            _statuses[service] = status;
            SignalChange();
        }
    }

    /// <summary>Sets everything to NOT_SERVING for good: the server stops.</summary>
    public void SetDown()
    {
        lock (_gate)
        {
            if (_down)
            {
                return;
            }

            _down = true;
            foreach (var service in _statuses.Keys)
            {
                _statuses[service] = ServingStatus.NotServing;
            }

            SignalChange();
        }
    }

    private void SignalChange()
    {
        var changed = _changed;
        _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        changed.SetResult();
    }
}
