using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Ingest.Protocol;
using Ingest.Server.Grpc;

namespace Ingest.Server.Tests.Grpc;

public class TlsTests : TransportTests, IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("ingest-tls");

    public void Dispose()
    {
        _directory.Delete(recursive: true);
        GC.SuppressFinalize(this);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Calls_go_over_TLS_with_HTTP_2_negotiated(bool pem)
    {
        using var certificate = SelfSigned();
        var settings = pem ? WritePem(certificate) : WritePfx(certificate);
        await using var host = await StartAsync(new GrpcServerOptions { Certificate = settings });
        Assert.Equal("https", host.GrpcAddress.Scheme);
        using var client = new HttpClient(new SocketsHttpHandler
        {
            SslOptions =
            {
                RemoteCertificateValidationCallback = (_, presented, _, _) =>
                    presented!.GetCertHashString() == certificate.GetCertHashString(),
            },
        })
        { BaseAddress = host.GrpcAddress };

        var call = await RawCall.SendAsync(client, "/grpc.testing.TestService/EmptyCall", Frames.Of([]));

        Assert.Equal(StatusCode.Ok, call.Status);
        Assert.Equal(HttpVersion.Version20, call.Http.Version);
    }

    [Fact]
    public void A_certificate_that_cannot_be_read_is_named()
    {
        var settings = new GrpcCertificate { Path = "no/such.pem", KeyPath = "no/such.key" };

        var error = Assert.Throws<InvalidOperationException>(() => settings.Load());

        Assert.Contains("no/such.pem with key no/such.key", error.Message, StringComparison.Ordinal);
    }

    private static X509Certificate2 SelfSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    private GrpcCertificate WritePem(X509Certificate2 certificate)
    {
        var settings = new GrpcCertificate { Path = File("c.pem"), KeyPath = File("c.key") };
        System.IO.File.WriteAllText(settings.Path, certificate.ExportCertificatePem());
        System.IO.File.WriteAllText(settings.KeyPath, certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        return settings;
    }

    private GrpcCertificate WritePfx(X509Certificate2 certificate)
    {
        var settings = new GrpcCertificate { Path = File("c.pfx"), Password = "secret" };
        System.IO.File.WriteAllBytes(settings.Path, certificate.Export(X509ContentType.Pfx, settings.Password));
        return settings;
    }

    private string File(string name) => Path.Combine(_directory.FullName, name);
}
