namespace Ingest.Protocol.Tests.Grpc;

public class GrpcHeadersTests
{
    [Theory]
    [InlineData(":path")]
    [InlineData("te")]
    [InlineData("Content-Type")]
    [InlineData("grpc-timeout")]
    [InlineData("grpc-encoding")]
    [InlineData("grpc-accept-encoding")]
    [InlineData("grpc-status")]
    [InlineData("grpc-message")]
    [InlineData("grpc-status-details-bin")]
    public void Headers_of_the_transport_are_reserved(string name) => Assert.True(GrpcHeaders.IsReserved(name));

    [Theory]
    [InlineData("authorization")]
    [InlineData("user-agent")]
    [InlineData("grpc-retry-pushback-ms")]
    [InlineData("x-trace-bin")]
    public void Headers_of_services_are_not_reserved(string name) => Assert.False(GrpcHeaders.IsReserved(name));

    [Theory]
    [InlineData("identity,gzip", true)]
    [InlineData("identity, deflate, gzip", true)]
    [InlineData("GZIP", true)]
    [InlineData("identity,gzipx", false)]
    [InlineData("", false)]
    public void A_list_of_encodings_is_searched_by_whole_names(string list, bool accepts) =>
        Assert.Equal(accepts, MessageCompression.Accepts(list, MessageCompression.Gzip));
}
