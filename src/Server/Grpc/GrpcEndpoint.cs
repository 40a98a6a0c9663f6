using System.Net;
using System.Net.Security;
using Ingest.Server.Http2;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Ingest.Server.Grpc;

/// <summary>Opens the gRPC port; every Kestrel setting that gRPC needs stands here.</summary>
public static class GrpcEndpoint
{
    /// <summary>
    /// Listens for gRPC: HTTP/2 in clear, or over TLS (ALPN <c>h2</c>) when a certificate is configured.
    /// </summary>
    /// <param name="kestrel">The server; limits that Kestrel has for all its ports are set on it.</param>
    /// <param name="endPoint">Address and port; port 0 takes a free one.</param>
    /// <param name="options">The settings.</param>
    /// <exception cref="InvalidOperationException">The certificate cannot be read.</exception>
    public static void ListenGrpc(this KestrelServerOptions kestrel, IPEndPoint endPoint, GrpcServerOptions options)
    {
        kestrel.AddServerHeader = false;
        var limits = kestrel.Limits;
        limits.MaxRequestHeadersTotalSize = options.MaxHeaderBytes;
        limits.MaxRequestHeaderCount = options.MaxHeaderCount;
        limits.Http2.MaxRequestHeaderFieldSize = options.MaxHeaderBytes;
        limits.Http2.MaxStreamsPerConnection = options.MaxCallsPerConnection;
        limits.Http2.InitialStreamWindowSize = options.StreamWindowBytes;
        limits.Http2.InitialConnectionWindowSize = options.ConnectionWindowBytes;
        limits.Http2.KeepAlivePingDelay = options.KeepAlivePingDelay;
        limits.Http2.KeepAlivePingTimeout = options.KeepAlivePingTimeout;

        // A subscriber that reads slowly is flow control at work, not an attack; pings find the peers that are gone.
        // HTTP/2 has no such limit per call. The one on request bodies and the body size are lifted call by call, so
        // that they still guard the REST port.
        limits.MinResponseDataRate = null;

        var memory = kestrel.ApplicationServices.GetRequiredService<TransportMemory>();
        bool isOwn = options.Http2 == Http2Kind.Own;
        kestrel.Listen(isOwn ? new Http2EndPoint(endPoint.Address, endPoint.Port) : endPoint, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            listen.Use(next => connection =>
            {
                connection.Features.Set<IMemoryPoolFeature>(memory);
                return next(connection);
            });
            if (options.Certificate is { } certificate)
            {
                var (leaf, chain) = certificate.Load();
                listen.UseHttps(https =>
                {
                    https.ServerCertificate = leaf;
                    https.ServerCertificateChain = chain;
                    https.OnAuthenticate = (_, tls) => tls.ApplicationProtocols = [SslApplicationProtocol.Http2];
                });
            }

            if (isOwn)
            {
                listen.Run(kestrel.ApplicationServices.GetRequiredService<Http2Handler>().ServeAsync);
            }
        });
    }
}
