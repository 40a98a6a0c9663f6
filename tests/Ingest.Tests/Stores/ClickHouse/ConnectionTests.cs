using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Ingest.Log;
using Ingest.Stores;
using Ingest.Stores.ClickHouse;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ingest.Tests.Stores.ClickHouse;

/// <summary>Who is talked to, and when not; no engine needed.</summary>
public sealed class ConnectionTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("ingest-connection-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task A_server_that_failed_is_left_alone_for_a_while()
    {
        await using ClickHouseStore store = await OpenAsync(new ClickHouseOptions
        {
            Shards = ["http://127.0.0.1:1"], BreakDuration = TimeSpan.FromMinutes(10), MaxBreakDuration = TimeSpan.FromHours(1),
        });
        Assert.Contains("refused", await FaultAsync(store), StringComparison.Ordinal);
        Assert.Contains("refused", await FaultAsync(store), StringComparison.Ordinal);
        Assert.Contains("left alone", await FaultAsync(store), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pipeline_starts_while_its_servers_are_away()
    {
        var options = new PipelineOptions
        {
            Log = new LogOptions { DataDirectory = Path.Combine(_directory, "data") },
            Store = new StoreOptions
            {
                Kind = StoreOptions.ClickHouseKind,
                ClickHouse = new ClickHouseOptions { Shards = ["http://127.0.0.1:1"] },
            },
        };
        await using IngestPipeline pipeline = await IngestPipeline.OpenAsync(
            options, NullLoggerFactory.Instance, TimeProvider.System, default);
        Assert.False(await pipeline.Store.IsAvailableAsync(default));
    }

    [Fact]
    public async Task A_server_that_does_not_speak_ClickHouse_is_out_of_reach()
    {
        using var server = new FixedServer(certificate: null, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 2\r\n\r\nno");
        await using ClickHouseStore store = await OpenAsync(new ClickHouseOptions { Shards = [server.Url] });
        Assert.False(await store.IsAvailableAsync(default));
        Assert.Contains("answered 502 Bad Gateway", await FaultAsync(store), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("<html><body>Please log in</body></html>")]
    [InlineData("\n")]
    public async Task A_proxy_that_answers_200_in_the_servers_place_is_out_of_reach(string text)
    {
        using var server = new FixedServer(
            certificate: null, $"HTTP/1.1 200 OK\r\nContent-Length: {text.Length}\r\n\r\n{text}");
        await using ClickHouseStore store = await OpenAsync(new ClickHouseOptions { Shards = [server.Url] });
        Assert.Contains("no answer of ClickHouse", await FaultAsync(store), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_is_trusted_by_the_authority_that_is_named_and_by_no_other()
    {
        using X509Certificate2 certificate = Certificate("127.0.0.1"), other = Certificate("other");
        using var server = new FixedServer(certificate, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nOk.\n");
        foreach ((X509Certificate2 authority, bool trusted) in new[] { (certificate, true), (other, false) })
        {
            string file = Path.Combine(_directory, $"{trusted}.pem");
            await File.WriteAllTextAsync(file, authority.ExportCertificatePem());
            await using ClickHouseStore store = await OpenAsync(new ClickHouseOptions
            {
                Shards = [server.Url], CertificateAuthorityFile = file,
            });
            Assert.Equal(trusted, await store.IsAvailableAsync(default));
        }

        await using ClickHouseStore plain = await OpenAsync(new ClickHouseOptions { Shards = [server.Url] });
        Assert.False(await plain.IsAvailableAsync(default));
        string unreadable = Path.Combine(_directory, "no.pem");
        await File.WriteAllTextAsync(unreadable, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        StoreException fault = await Assert.ThrowsAsync<StoreException>(() => OpenAsync(new ClickHouseOptions
        {
            Shards = [server.Url], CertificateAuthorityFile = unreadable,
        }));
        Assert.Contains("CertificateAuthorityFile", fault.Message, StringComparison.Ordinal);
    }

    private Task<ClickHouseStore> OpenAsync(ClickHouseOptions options) => ClickHouseStore.OpenAsync(
        options, 100, Path.Combine(_directory, $"placements-{Guid.NewGuid():N}"), TimeProvider.System);

    private static async Task<string> FaultAsync(ClickHouseStore store)
    {
        StoreException fault = await Assert.ThrowsAsync<StoreException>(
            () => store.EnsureTableAsync(SegmentFile.Table("none"), default));
        Assert.Equal(StoreFault.Unavailable, fault.Fault);
        return fault.Message;
    }

    private static X509Certificate2 Certificate(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    /// <summary>Gives every request the same answer, over TLS or not.</summary>
    private sealed class FixedServer : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly X509Certificate2? _certificate;
        private readonly byte[] _answer;

        public FixedServer(X509Certificate2? certificate, string answer)
        {
            _certificate = certificate;
            // Said, or the client may send its next request into the connection that ends.
            int header = answer.IndexOf("\r\n", StringComparison.Ordinal);
            _answer = System.Text.Encoding.ASCII.GetBytes(answer.Insert(header, "\r\nConnection: close"));
            _listener.Start();
            _ = AcceptAsync();
        }

        public string Url =>
            $"{(_certificate is null ? "http" : "https")}://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

        public void Dispose() => _listener.Dispose();

        private async Task AcceptAsync()
        {
            try
            {
                while (true)
                {
                    _ = ServeAsync(await _listener.AcceptTcpClientAsync());
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // The test is over.
            }
        }

        private async Task ServeAsync(TcpClient client)
        {
            try
            {
                using (client)
                {
                    Stream stream = client.GetStream();
                    if (_certificate is not null)
                    {
                        var tls = new SslStream(stream);
                        await tls.AuthenticateAsServerAsync(_certificate);
                        stream = tls;
                    }

                    await using (stream)
                    {
                        byte[] buffer = new byte[4096];
                        await stream.ReadAtLeastAsync(buffer, 1);
                        await stream.WriteAsync(_answer);
                        if (_certificate is null)
                        {
                            // Closed with bytes unread, the connection would be reset, and the answer may be lost.
                            client.Client.Shutdown(SocketShutdown.Send);
                            while (await stream.ReadAsync(buffer) > 0)
                            {
                            }
                        }
                    }
                }
            }
            catch (Exception e) when (e is IOException or System.Security.Authentication.AuthenticationException)
            {
                // The client did not trust us.
            }
        }
    }
}
