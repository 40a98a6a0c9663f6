using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Ingest.Stores.ClickHouse;

/// <summary>The HTTP client that all servers share: connections, TLS, user and password.</summary>
internal static class ClickHouseHttp
{
    // Servers close idle connections after 3 s (10 s before 23); a body is never sent into one that is being closed.
    private static readonly TimeSpan s_idle = TimeSpan.FromSeconds(2);

    /// <summary>Makes the client.</summary>
    /// <exception cref="StoreException">The certificates cannot be read.</exception>
    public static HttpClient Create(ClickHouseOptions options)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectTimeout = options.ConnectTimeout,
            PooledConnectionIdleTimeout = s_idle,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
        };
        if (options.CertificateAuthorityFile.Length > 0)
        {
            handler.SslOptions.CertificateChainPolicy = Trust(options.CertificateAuthorityFile);
        }

        string credentials = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{options.User}:{options.Password}"));
        return new HttpClient(handler)
        {
            Timeout = Timeout.InfiniteTimeSpan,
            DefaultRequestVersion = HttpVersion.Version11,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
            DefaultRequestHeaders =
            {
                Authorization = new AuthenticationHeaderValue("Basic", credentials),
                UserAgent = { new ProductInfoHeaderValue("ingest", "1") },
            },
        };
    }

    private static X509ChainPolicy Trust(string file)
    {
        try
        {
            var policy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
            };
            policy.CustomTrustStore.ImportFromPemFile(file);
            return policy;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new StoreException(
                $"Ingest:Store:ClickHouse:CertificateAuthorityFile {file} cannot be read: {e.Message}",
                StoreFault.Unavailable, e);
        }
    }
}
