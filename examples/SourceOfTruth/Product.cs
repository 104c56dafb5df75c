using System.Text.Json.Serialization;

namespace SourceOfTruth;

/// <summary>One document of the folder, and the cached value. Immutable.</summary>
/// <param name="Name">The key.</param>
/// <param name="Stock">What the shop sells from.</param>
/// <param name="Version">Grows by one with every change, so that the example can tell an old document from a new one.</param>
/// <param name="Fence">The greatest fence that the document has been written or raised with.</param>
internal sealed record Product(string Name, int Stock, long Version, long Fence);

/// <summary>How a document is written down.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(Product))]
internal sealed partial class ProductJson : JsonSerializerContext;
