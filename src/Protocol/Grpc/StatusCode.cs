namespace Ingest.Protocol;

/// <summary>The status of a call, as the trailer <c>grpc-status</c> carries it.</summary>
/// <remarks>Numbers and meanings are those of the gRPC specification and of <c>google.rpc.Code</c>.</remarks>
public enum StatusCode
{
    /// <summary>Success.</summary>
    Ok = 0,

    /// <summary>The caller gave up.</summary>
    Cancelled = 1,

    /// <summary>An error that nothing else names; also what an unhandled exception of a service becomes.</summary>
    Unknown = 2,

    /// <summary>The request is wrong whatever the state of the server.</summary>
    InvalidArgument = 3,

    /// <summary>The deadline passed before the call was done.</summary>
    DeadlineExceeded = 4,

    /// <summary>What was asked for is not there.</summary>
    NotFound = 5,

    /// <summary>What was to be made is there already.</summary>
    AlreadyExists = 6,

    /// <summary>The caller is known and may not do this.</summary>
    PermissionDenied = 7,

    /// <summary>A quota or a resource is used up.</summary>
    ResourceExhausted = 8,

    /// <summary>The system is not in the state that the call needs.</summary>
    FailedPrecondition = 9,

    /// <summary>The call lost against another one.</summary>
    Aborted = 10,

    /// <summary>Past the end of a valid range.</summary>
    OutOfRange = 11,

    /// <summary>The server does not have this method, or not this message encoding.</summary>
    Unimplemented = 12,

    /// <summary>An invariant of the transport or of the server is broken.</summary>
    Internal = 13,

    /// <summary>The server cannot serve now; a retry may help.</summary>
    Unavailable = 14,

    /// <summary>Data are lost for good.</summary>
    DataLoss = 15,

    /// <summary>The caller is not known.</summary>
    Unauthenticated = 16,
}
