using Ingest.Protocol;

namespace Ingest.Server.Grpc;

/// <summary>How frames and trailers travel.</summary>
internal enum WireFormat
{
    /// <summary>gRPC over HTTP/2: frames in the body, trailers as HTTP trailers.</summary>
    Grpc,

    /// <summary>gRPC-Web: frames in the body, trailers as a last frame of it.</summary>
    Web,

    /// <summary>gRPC-Web whose body is base64.</summary>
    WebText,
}

/// <summary>The content types of the wire formats.</summary>
internal static class WireFormatContentType
{
    private const string ProtoSuffix = "+proto";

    /// <summary>Reads a content type; parameters are ignored.</summary>
    /// <returns>False when it is no gRPC, or gRPC with messages other than protobuf.</returns>
    public static bool TryParse(string? contentType, out WireFormat format)
    {
        var type = contentType.AsSpan();
        var parameters = type.IndexOf(';');
        type = (parameters < 0 ? type : type[..parameters]).TrimEnd();
        if (type.EndsWith(ProtoSuffix, StringComparison.OrdinalIgnoreCase))
        {
            type = type[..^ProtoSuffix.Length];
        }

        format = WireFormat.Grpc;
        if (type.Equals(GrpcHeaders.ContentType, StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        format = WireFormat.Web;
        if (type.Equals(GrpcHeaders.WebContentType, StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        format = WireFormat.WebText;
        return type.Equals(GrpcHeaders.WebTextContentType, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>The content type of a response.</summary>
    public static string ContentType(this WireFormat format) => format switch
    {
        WireFormat.Web => GrpcHeaders.WebContentType + ProtoSuffix,
        WireFormat.WebText => GrpcHeaders.WebTextContentType + ProtoSuffix,
        _ => GrpcHeaders.ContentType,
    };
}
