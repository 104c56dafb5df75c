using CacheEngine.Reservations;

namespace CacheEngine.Core.Tests.Reservations;

public class ReservationLedgerProperties
{
    private const int MaxSpares = 6;

    private enum Place
    {
        Available,
        Reserved,
        Used,
    }

    [Fact]
    [Rule("RES-1", "RES-2", "RES-6", "RES-7", "RES-9", "T42")]
    public void RandomWalk_CountsTheObjectsThatAreThere()
    {
        for (int seed = 0; seed < 50; seed++)
        {
            var random = new Random(seed);
            var ledger = default(ReservationLedger);
            var objects = new List<Place>();
            for (int step = 0; step < 400; step++)
            {
                Step(random, ref ledger, objects);

                Assert.True(
                    ledger.Total == objects.Count
                    && ledger.Used == Count(objects, Place.Used)
                    && ledger.Reserved == Count(objects, Place.Reserved)
                    && ledger.Available == Count(objects, Place.Available),
                    $"seed {seed}, step {step}");
                ledger.AssertConserved();
            }
        }
    }

    /// <summary>Moves real objects from place to place, and tells the ledger.</summary>
    private static void Step(Random random, ref ReservationLedger ledger, List<Place> objects)
    {
        int count = random.Next(5);
        switch (random.Next(4))
        {
            case 0:
                int missing = Math.Max(0, count - Count(objects, Place.Available));
                Assert.Equal(missing, ledger.Missing(count));
                ledger.Reserve(count, missing);
                objects.AddRange(Enumerable.Repeat(Place.Available, missing));
                Move(objects, Place.Available, Place.Reserved, count);
                break;
            case 1:
                count = Math.Min(count, Count(objects, Place.Reserved));
                ledger.Unreserve(count);
                Move(objects, Place.Reserved, Place.Available, count);
                break;
            case 2 when Count(objects, Place.Reserved) > 0:
                ledger.Take();
                Move(objects, Place.Reserved, Place.Used, 1);
                break;
            case 3 when Count(objects, Place.Used) > 0:
                bool hasSparesEnough = Count(objects, Place.Available) >= Count(objects, Place.Reserved) + MaxSpares;
                Assert.Equal(!hasSparesEnough, ledger.Put(MaxSpares));
                Move(objects, Place.Used, Place.Available, 1);
                _ = hasSparesEnough && objects.Remove(Place.Available);
                break;
        }
    }

    private static int Count(List<Place> objects, Place place) => objects.Count(at => at == place);

    private static void Move(List<Place> objects, Place from, Place to, int count)
    {
        for (; count > 0; count--)
        {
            objects[objects.IndexOf(from)] = to;
        }
    }
}
