using System.Text.Json.Nodes;
using Ingest.Admission;

namespace Ingest.Server.Http;

/// <summary>What <c>/health</c> says of memory and the log's disk.</summary>
internal static class HealthOfAdmission
{
    /// <summary>What is wrong, or null.</summary>
    public static string? Fault(AdmissionControl admission) => (admission.Disk.State, admission.MemoryState) switch
    {
        (Pressure.Hard, _) => "The log has reached its limit on disk; rows are refused until the store has caught up.",
        (_, Pressure.Hard) => "The server is short of memory; rows are refused.",
        (Pressure.Soft, _) => "The log nears its limit on disk; senders are slowed.",
        (_, Pressure.Soft) => "The server nears its limit of memory; senders are slowed.",
        _ => null,
    };

    /// <summary>The figures.</summary>
    public static JsonNode Describe(AdmissionControl admission) => new JsonObject
    {
        ["senders"] = admission.SenderCount,
        ["memory"] = Gauge(admission.Memory),
        ["buffers"] = Gauge(admission.Buffers),
        ["log"] = Gauge(admission.Disk),
    };

    private static JsonObject Gauge(PressureGauge gauge) => new()
    {
        ["state"] = gauge.State switch
        {
            Pressure.Normal => "normal",
            Pressure.Soft => "slowing",
            _ => "refusing",
        },
        ["used_bytes"] = gauge.UsedBytes,
        ["limit_bytes"] = gauge.LimitBytes,
    };
}
