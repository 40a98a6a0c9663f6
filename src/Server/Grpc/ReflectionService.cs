using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Reflection.V1;
using Ingest.Protocol;
using ServiceDescriptor = Google.Protobuf.Reflection.ServiceDescriptor;
using V1Alpha = Grpc.Reflection.V1Alpha;

namespace Ingest.Server.Grpc;

/// <summary><c>grpc.reflection.v1</c> and <c>v1alpha</c> over the mapped services.</summary>
/// <remarks>The two versions differ in their package alone, so v1's messages read and write both.</remarks>
internal sealed class ReflectionService(ServiceRegistry registry)
{
    // Made at the first question, when all services are mapped.
    private readonly Lazy<DescriptorIndex> _index =
        new(() => new DescriptorIndex(registry.Services.Select(service => service.File)));

    /// <summary>Both versions: the service and what binds it.</summary>
    public IEnumerable<(ServiceDescriptor Service, Action<GrpcServiceBinder> Bind)> Versions =>
    [
        (ReflectionReflection.Descriptor.Services[0], service => service
            .DuplexStreaming<ServerReflectionRequest, ServerReflectionResponse>(
                "ServerReflectionInfo", (Func<RequestStream, ResponseStream, CallContext, Task>)AnswerAllAsync)),
        (V1Alpha.ReflectionReflection.Descriptor.Services[0], service => service
            .DuplexStreaming<V1Alpha.ServerReflectionRequest, V1Alpha.ServerReflectionResponse>(
                "ServerReflectionInfo", (Func<RequestStream, ResponseStream, CallContext, Task>)AnswerAllAsync)),
    ];

    private async Task AnswerAllAsync(RequestStream requests, ResponseStream responses, CallContext call)
    {
        var typed = new RequestStream<ServerReflectionRequest>(requests, ServerReflectionRequest.Parser);
        while (await typed.ReadAsync() is { } request)
        {
            var response = Answer(request);
            response.ValidHost = request.Host;
            response.OriginalRequest = request;
            await responses.WriteAsync(response);
        }
    }

    private ServerReflectionResponse Answer(ServerReflectionRequest request)
    {
        var index = _index.Value;
        switch (request.MessageRequestCase)
        {
            case ServerReflectionRequest.MessageRequestOneofCase.FileByFilename:
                return Files(index.FindFile(request.FileByFilename), $"The file '{request.FileByFilename}'");
            case ServerReflectionRequest.MessageRequestOneofCase.FileContainingSymbol:
                return Files(index.FindSymbol(request.FileContainingSymbol),
                    $"The symbol '{request.FileContainingSymbol}'");
            case ServerReflectionRequest.MessageRequestOneofCase.FileContainingExtension:
                var extension = request.FileContainingExtension;
                return Files(index.FindExtension(extension.ContainingType, extension.ExtensionNumber),
                    $"The extension {extension.ExtensionNumber} of '{extension.ContainingType}'");
            case ServerReflectionRequest.MessageRequestOneofCase.AllExtensionNumbersOfType:
                return Numbers(index, request.AllExtensionNumbersOfType);
            case ServerReflectionRequest.MessageRequestOneofCase.ListServices:
                var services = registry.Services.Select(service => new ServiceResponse { Name = service.FullName });
                return new ServerReflectionResponse
                {
                    ListServicesResponse = new ListServiceResponse { Service = { services } },
                };
            default:
                return Error(StatusCode.Unimplemented, "The request asks nothing that is known here.");
        }
    }

    private static ServerReflectionResponse Files(IEnumerable<ByteString>? files, string what) => files is null
        ? Error(StatusCode.NotFound, $"{what} is not known.")
        : new ServerReflectionResponse
        {
            FileDescriptorResponse = new FileDescriptorResponse { FileDescriptorProto = { files } },
        };

    private static ServerReflectionResponse Numbers(DescriptorIndex index, string type) =>
        index.FindExtensionNumbers(type) is not { } numbers
            ? Error(StatusCode.NotFound, $"The type '{type}' is not known.")
            : new ServerReflectionResponse
            {
                AllExtensionNumbersResponse = new ExtensionNumberResponse
                {
                    BaseTypeName = type,
                    ExtensionNumber = { numbers },
                },
            };

    private static ServerReflectionResponse Error(StatusCode code, string message) => new()
    {
        ErrorResponse = new ErrorResponse { ErrorCode = (int)code, ErrorMessage = message },
    };
}
