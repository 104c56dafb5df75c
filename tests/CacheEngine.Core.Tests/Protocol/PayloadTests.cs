using CacheEngine.Protocol;

namespace CacheEngine.Core.Tests.Protocol;

public class PayloadTests
{
    [Fact]
    public void Reference_IsTheSameObject()
    {
        object value = new();
        Payload payload = Payload.OfReference(value);

        Assert.Equal(PayloadKind.Reference, payload.Kind);
        Assert.Same(value, payload.Reference);
        Assert.Throws<InvalidOperationException>(() => payload.Bytes);
        Assert.Null(Payload.OfReference(null).Reference);
    }

    [Fact]
    public void Bytes_AreTheSameMemory()
    {
        byte[] value = [1, 2];
        Payload payload = Payload.OfBytes(value);

        Assert.Equal(PayloadKind.Bytes, payload.Kind);
        Assert.True(payload.Bytes.Equals(value));
        Assert.Throws<InvalidOperationException>(() => payload.Reference);
    }

    [Fact]
    public void Default_HoldsNothing()
    {
        Assert.Equal(PayloadKind.None, default(Payload).Kind);
        Assert.Throws<InvalidOperationException>(() => default(Payload).Reference);
        Assert.Throws<InvalidOperationException>(() => default(Payload).Bytes);
    }
}
