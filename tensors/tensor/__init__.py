"""The class ``Tensor``, put together from siblings that hold its methods by topic."""
