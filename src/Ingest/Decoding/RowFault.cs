using Ingest.V1;

namespace Ingest.Decoding;

/// <summary>Why a row was rejected.</summary>
/// <param name="Field">Path of the field at fault.</param>
/// <param name="Code">Kind of the fault.</param>
/// <param name="Message">The fault in words.</param>
public readonly record struct RowFault(string Field, RowErrorCode Code, string Message);
