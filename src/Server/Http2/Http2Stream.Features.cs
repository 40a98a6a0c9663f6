using System.Collections;
using Microsoft.AspNetCore.Http.Features;

namespace Ingest.Server.Http2;

/// <content>The collection of features: this object is nearly all of them.</content>
internal abstract partial class Http2Stream : IFeatureCollection
{
    // What others have set, a few at most.
    private KeyValuePair<Type, object?>[] _others = [];
    private int _otherCount;
    private int _revision;

    bool IFeatureCollection.IsReadOnly => false;

    int IFeatureCollection.Revision => _revision;

    object? IFeatureCollection.this[Type key]
    {
        get => TryFind(key, out object? other) ? other
            : key.IsInstanceOfType(this) ? this
            : Connection.Context.Features[key];
        set => Set(key, value);
    }

    TFeature? IFeatureCollection.Get<TFeature>()
        where TFeature : default
    {
        if (_otherCount > 0 && TryFind(typeof(TFeature), out object? other))
        {
            return (TFeature?)other;
        }

        return this is TFeature own ? own : Connection.Context.Features.Get<TFeature>();
    }

    void IFeatureCollection.Set<TFeature>(TFeature? instance)
        where TFeature : default => Set(typeof(TFeature), instance);

    IEnumerator<KeyValuePair<Type, object>> IEnumerable<KeyValuePair<Type, object>>.GetEnumerator()
    {
        foreach (Type type in GetType().GetInterfaces())
        {
            if (type.Namespace == typeof(IHttpRequestFeature).Namespace && type != typeof(IFeatureCollection)
                && !TryFind(type, out _))
            {
                yield return new(type, this);
            }
        }

        for (int i = 0; i < _otherCount; i++)
        {
            if (_others[i].Value is { } value)
            {
                yield return new(_others[i].Key, value);
            }
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => ((IEnumerable<KeyValuePair<Type, object>>)this).GetEnumerator();

    private bool TryFind(Type key, out object? feature)
    {
        for (int i = 0; i < _otherCount; i++)
        {
            if (_others[i].Key == key)
            {
                feature = _others[i].Value;
                return true;
            }
        }

        feature = null;
        return false;
    }

    private void Set(Type key, object? feature)
    {
        _revision++;
        for (int i = 0; i < _otherCount; i++)
        {
            if (_others[i].Key == key)
            {
                _others[i] = new(key, feature);
                return;
            }
        }

        if (_otherCount == _others.Length)
        {
            Array.Resize(ref _others, _otherCount + 2);
        }

        _others[_otherCount++] = new(key, feature);
    }
}
