using Google.Protobuf.WellKnownTypes;
using Google.Rpc;

namespace Ingest.Protocol.Tests.Grpc;

public class RpcExceptionTests
{
    [Fact]
    public void Details_are_packed_and_found_by_type()
    {
        var retry = new RetryInfo { RetryDelay = Duration.FromTimeSpan(TimeSpan.FromSeconds(2)) };

        var error = RpcException.WithDetails(StatusCode.ResourceExhausted, "slow down", retry);

        Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
        Assert.Equal("slow down", error.Detail);
        Assert.Equal((int)StatusCode.ResourceExhausted, error.Details!.Code);
        Assert.Equal(retry, error.FindDetail<RetryInfo>());
        Assert.Null(error.FindDetail<BadRequest>());
    }

    [Fact]
    public void Success_is_no_exception() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new RpcException(StatusCode.Ok, "fine"));
}
