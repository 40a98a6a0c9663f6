using Grpc.Health.V1;
using Ingest.Client.Calls;
using Ingest.Protocol;
using Ingest.V1;

namespace Ingest.Client;

/// <summary>
/// A connection to an Ingest server. Connects when the first call is made, and again after the connection broke; calls
/// share the connection.
/// </summary>
/// <remarks>
/// All members are safe for use by several threads at once. Keep one client for the life of a process: opening a
/// stream costs one HTTP/2 stream, not a connection.
/// </remarks>
public sealed class IngestClient : IDisposable
{
    private static readonly RpcMethod<HealthCheckRequest, HealthCheckResponse> HealthCheck =
        RpcMethod.Of<HealthCheckRequest, HealthCheckResponse>(HealthReflection.Descriptor, "Health", "Check");

    private readonly RpcChannel _channel;

    /// <summary>Makes a client for a server in reach at an address, with defaults for everything else.</summary>
    /// <param name="address">For example <c>http://127.0.0.1:7400</c>.</param>
    /// <exception cref="ArgumentException">The address is not absolute, or neither http nor https.</exception>
    public IngestClient(Uri address)
        : this(new IngestClientOptions { Address = address })
    {
    }

    /// <summary>Makes a client.</summary>
    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    public IngestClient(IngestClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _channel = new RpcChannel(options);
    }

    /// <summary>Opens a stream of GPS points.</summary>
    /// <param name="options">How rows are gathered; null for the defaults.</param>
    /// <param name="cancellationToken">Ends the call at any time: its operations then throw.</param>
    /// <remarks>Does not wait for the server: that it cannot be reached shows when rows are written.</remarks>
    public IngestStream<GpsPoint> OpenGpsPoints(
        StreamOptions? options = null, CancellationToken cancellationToken = default) =>
        IngestStream<GpsPoint>.Open(_channel, StreamKinds.GpsPoints, options, cancellationToken);

    /// <summary>Opens a stream of events.</summary>
    /// <inheritdoc cref="OpenGpsPoints"/>
    public IngestStream<Event> OpenEvents(
        StreamOptions? options = null, CancellationToken cancellationToken = default) =>
        IngestStream<Event>.Open(_channel, StreamKinds.Events, options, cancellationToken);

    /// <summary>Opens a stream of metric samples.</summary>
    /// <inheritdoc cref="OpenGpsPoints"/>
    public IngestStream<MetricSample> OpenMetrics(
        StreamOptions? options = null, CancellationToken cancellationToken = default) =>
        IngestStream<MetricSample>.Open(_channel, StreamKinds.Metrics, options, cancellationToken);

    /// <summary>Opens a stream of orders.</summary>
    /// <inheritdoc cref="OpenGpsPoints"/>
    public IngestStream<Order> OpenOrders(
        StreamOptions? options = null, CancellationToken cancellationToken = default) =>
        IngestStream<Order>.Open(_channel, StreamKinds.Orders, options, cancellationToken);

    /// <summary>
    /// Follows topics: their updates, in order, and gaps in the place of updates that cannot be given. When the
    /// connection breaks, or the server restarts, it connects again and goes on where it was: nothing is missed without
    /// a gap, and nothing comes twice.
    /// </summary>
    /// <param name="options">What to follow, and from where.</param>
    /// <param name="cancellationToken">Ends the subscription: the enumeration then throws.</param>
    /// <returns>
    /// The subscription; each enumeration is one of its own. An item counts as handled when the next one is asked for: who
    /// wants to stop behind an item cancels and asks once more.
    /// </returns>
    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    /// <exception cref="RpcException">
    /// Thrown by the enumeration: INVALID_ARGUMENT when the server refuses what is asked for, UNAVAILABLE when it cannot
    /// be reached at first, and anything that trying again cannot change.
    /// </exception>
    public IAsyncEnumerable<Delivery> SubscribeAsync(
        SubscribeOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        return new SubscriptionReader(_channel, options).ReadAsync(cancellationToken);
    }

    /// <summary>Asks whether the server takes calls (grpc.health.v1).</summary>
    /// <param name="timeout">How long to wait for the answer.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>False when the server answers that it does not serve, for example while it drains.</returns>
    /// <exception cref="RpcException">It cannot be asked; UNAVAILABLE when it cannot be reached.</exception>
    public async Task<bool> IsServingAsync(TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        var response = await _channel.CallAsync(HealthCheck, new HealthCheckRequest(), timeout, cancellationToken)
            .ConfigureAwait(false);
        return response.Status == HealthCheckResponse.Types.ServingStatus.Serving;
    }

    /// <summary>Closes the connection. Open streams end with UNAVAILABLE; complete them first.</summary>
    public void Dispose() => _channel.Dispose();
}
