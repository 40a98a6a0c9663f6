using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Google.Protobuf;
using Ingest.Protocol;

namespace Ingest.Client.Calls;

/// <summary>Reads the status of a call from its trailers, or from its headers when it has no trailers.</summary>
internal static class ResponseStatus
{
    /// <summary>Returns when the status is OK.</summary>
    /// <param name="headers">The response's headers.</param>
    /// <param name="trailers">Its trailers.</param>
    /// <param name="http">The HTTP status, which counts when there is no gRPC status.</param>
    /// <exception cref="RpcException">The status is not OK, or missing.</exception>
    public static void ThrowUnlessOk(
        HttpResponseHeaders headers, HttpResponseHeaders trailers, HttpStatusCode http = HttpStatusCode.OK)
    {
        var source = Find(trailers, GrpcHeaders.Status) is not null ? trailers : headers;
        var text = Find(source, GrpcHeaders.Status);
        if (text is null)
        {
            throw http == HttpStatusCode.OK
                ? new RpcException(StatusCode.Unknown, "The server ended the call without a status.")
                : new RpcException(FromHttp(http), $"The server answered with HTTP status {(int)http}.");
        }
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var code))
        {
            throw new RpcException(StatusCode.Unknown, $"The server's status is '{text}'.");
        }
        if (code == (int)StatusCode.Ok)
        {
            return;
        }
        var status = code <= (int)StatusCode.Unauthenticated ? (StatusCode)code : StatusCode.Unknown;
        throw new RpcException(status, PercentEncoding.Decode(Find(source, GrpcHeaders.Message) ?? ""))
        {
            Details = ReadDetails(source),
            Trailers = ReadMetadata(source),
        };
    }

    /// <summary>The gRPC status of an HTTP status, as gRPC's "HTTP to gRPC Status Code Mapping" has it.</summary>
    private static StatusCode FromHttp(HttpStatusCode http) => http switch
    {
        HttpStatusCode.BadRequest => StatusCode.Internal,
        HttpStatusCode.Unauthorized => StatusCode.Unauthenticated,
        HttpStatusCode.Forbidden => StatusCode.PermissionDenied,
        HttpStatusCode.NotFound => StatusCode.Unimplemented,
        HttpStatusCode.TooManyRequests or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable
            or HttpStatusCode.GatewayTimeout => StatusCode.Unavailable,
        _ => StatusCode.Unknown,
    };

    private static string? Find(HttpResponseHeaders headers, string name) =>
        headers.TryGetValues(name, out var values) ? string.Concat(values) : null;

    private static Google.Rpc.Status? ReadDetails(HttpResponseHeaders headers)
    {
        if (Find(headers, GrpcHeaders.StatusDetails) is not { } text || !Metadata.TryDecodeBinary(text, out var bytes))
        {
            return null;
        }
        try
        {
            return Google.Rpc.Status.Parser.ParseFrom(bytes);
        }
        catch (InvalidProtocolBufferException)
        {
            // Details are an addition: code and message stand without them.
            return null;
        }
    }

    private static Metadata ReadMetadata(HttpResponseHeaders headers)
    {
        var metadata = new Metadata();
        foreach (var (name, values) in headers)
        {
            if (!GrpcHeaders.IsReserved(name))
            {
                foreach (var value in values)
                {
                    metadata.TryAddEncoded(name, value);
                }
            }
        }
        return metadata;
    }
}
